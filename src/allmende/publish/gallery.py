"""A handful of samples to look at: small pictures with their words, made from stored images."""

import io
from collections.abc import Iterable

import msgspec

from allmende.publish.sink import Sample

SIDE = 180
"""Longest side of a picture in the gallery, pixels."""

BUDGET = 800_000
"""Bytes of pictures in one gallery, so that a report stays below 2 MB with the pictures in base64."""

_CAPTION_CHARS = 300


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A sample as the report shows it."""

    jpeg: bytes
    caption: str
    language: str
    page_url: str
    """Empty if the page is not known or not http(s)."""
    facts: str
    """Size, format, source of the caption."""


def gallery(samples: Iterable[Sample], limit: int = 42) -> tuple[Picture, ...]:
    """Pictures of the first samples; those that can't be decoded are passed over.

    Samples are released in random order, so the first ones are a fair choice.
    """
    pictures: list[Picture] = []
    spent = 0
    for row, image in samples:
        if len(pictures) == limit:
            break
        jpeg = thumbnail(image)
        if jpeg is None or spent + len(jpeg) > BUDGET:
            continue
        spent += len(jpeg)
        pictures.append(_picture(dict(row), jpeg))
    return tuple(pictures)


def _picture(row: dict[str, object], jpeg: bytes) -> Picture:
    caption = str(row.get("caption") or "")
    page_url = str(row.get("page_url") or "")
    facts = [
        f"{row.get('original_width')} x {row.get('original_height')}",
        row.get("original_format"),
        row.get("caption_source"),
    ]
    return Picture(
        jpeg=jpeg,
        caption=caption if len(caption) <= _CAPTION_CHARS else caption[:_CAPTION_CHARS] + "…",
        language=str(row.get("language") or ""),
        page_url=page_url if page_url.startswith(("http://", "https://")) else "",
        facts=" · ".join(str(fact) for fact in facts if fact),
    )


def thumbnail(image: bytes, side: int = SIDE) -> bytes | None:
    """A small JPEG of a stored image, on white where it is transparent; None if it can't be decoded."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(image)) as picture:
            picture.draft("RGB", (side, side))
            picture.thumbnail((side, side))
            small = picture.convert("RGBA")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):  # what Pillow's decoders raise
        return None
    flat = Image.new("RGB", small.size, "white")
    flat.paste(small, mask=small)
    buffer = io.BytesIO()
    flat.save(buffer, "JPEG", quality=72, optimize=True)
    return buffer.getvalue()
