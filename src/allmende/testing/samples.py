"""Makes samples to test with: rows of `allmende.schema.SAMPLES` and small pictures, the same for the same seed."""

import datetime
import hashlib
import io
import random
from typing import Any

from allmende.identity import key64, order_key, uid
from allmende.schema import DOCUMENTS, SAMPLES

_WORDS = {
    "de": "Ein rotes Fahrrad lehnt am alten Hafen und wartet auf den Frühling im Nebel",
    "en": "A red bicycle leans against the old harbour wall and waits for spring in fog",
    "fr": "Un vélo rouge repose contre le mur du vieux port en attendant le printemps",
    "und": "RX-100 VII 24-70 IMG DSC",
}
_LICENCES = (None, None, None, "https://creativecommons.org/licenses/by/4.0/", "http://a.example/terms")
_SIGNALS: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    (),
    (("robots_txt", "allow"),),
    (("content_usage", "unknown"), ("content_usage", "unknown")),
    (("noai", "deny"), ("robots_txt", "allow")),
)
_ROBOTS = (None, None, None, None, "all", "noarchive", "max-image-preview: large")


def picture(seed: int, width: int = 64, height: int = 48, image_format: str = "JPEG") -> bytes:
    """A picture of a coloured gradient with a rectangle on it."""
    from PIL import Image, ImageDraw

    choice = random.Random(seed)  # noqa: S311 - a reproducible picture, not a secret
    colour = tuple(choice.randrange(256) for _ in range(3))
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    ImageDraw.Draw(image).rectangle([width // 4, height // 4, width // 2, height // 2], fill=colour)
    image = Image.blend(image, Image.new("RGB", image.size, colour), choice.random() * 0.6)
    buffer = io.BytesIO()
    image.save(buffer, image_format)
    return buffer.getvalue()


def sample(seed: int, **changes: Any) -> tuple[dict[str, Any], bytes]:
    """A row with every column, and its picture. `changes` overwrite columns."""
    choice = random.Random(seed)  # noqa: S311 - a reproducible row, not a secret
    language = choice.choice(list(_WORDS))
    caption = " ".join(choice.choices(_WORDS[language].split(), k=choice.randint(2, 12)))
    host = f"images{min(choice.randrange(12), choice.randrange(12))}.example"
    url = f"https://{host}/{seed}.jpg"
    width, height = choice.choice([(64, 48), (48, 64), (64, 64), (96, 40)])
    image = picture(seed, width, height)
    captured = datetime.datetime(2026, 10, 1, tzinfo=datetime.UTC) + datetime.timedelta(minutes=seed)
    known: dict[str, Any] = {
        "uid": uid(url, caption),
        "url": url,
        "caption": caption,
        "caption_source": choice.choice(["alt", "alt", "figcaption", "title"]),
        "found_in": "img",
        "alt": caption,
        "language": language,
        "language_score": choice.randint(38, 128) / 128,
        "page_url": f"https://www.site{choice.randrange(9)}.example/page/{seed}",
        "page_license": choice.choice(_LICENCES),
        "crawl": "CC-MAIN-2026-43",
        "warc_file": "crawl-data/CC-MAIN-2026-43/segments/1/warc/CC-MAIN-00000.warc.gz",
        "warc_offset": 1000 * seed,
        "warc_length": 900,
        "captured_at": captured,
        "url_key": key64(url),
        "host_key": key64(host),
        "caption_key": key64(caption.lower()),
        "seen": choice.choice([1, 1, 1, 2, 5]),
        "final_url": url,
        "http_status": 200,
        "content_type": "image/jpeg",
        "x_robots_tag": choice.choice(_ROBOTS),
        "fetched_at": captured + datetime.timedelta(days=30),
        "fetch_ms": choice.randint(20, 900),
        "bytes_received": len(image) * 9,
        "sha256": hashlib.sha256(image).hexdigest(),
        "phash": f"{key64(str(seed)):016x}",
        "signals": [
            {"name": name, "says": says, "value": "as written", "url": "", "field": "", "line": 1, "at": captured}
            for name, says in choice.choice(_SIGNALS)
        ],
        "policy": "eu-research/2026-11-22",
        "verdict": "allowed",
        "preview": "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
        "original_format": "jpeg",
        "original_width": width * 10,
        "original_height": height * 10,
        "original_bytes": len(image) * 9,
        "width": width,
        "height": height,
        "format": "jpg",
        "exif": "{}",
        "order_key": order_key(0, uid(url, caption)),
        "data_offset": 0,
        "data_size": len(image),
    }
    return dict.fromkeys(SAMPLES.names) | known | changes, image


def document(seed: int, **changes: Any) -> dict[str, Any]:
    """A row of `allmende.schema.DOCUMENTS` with every column, some of them null. `changes` overwrite columns."""
    choice = random.Random(seed)  # noqa: S311 - a reproducible row, not a secret
    language = choice.choice(("de", "de", "en", "fr"))
    words = _WORDS[language].split()
    text = "\n".join(
        " ".join(choice.choices(words, k=choice.randint(8, 60))) + "." for _ in range(choice.randint(2, 9))
    )
    url = f"https://www.site{min(choice.randrange(9), choice.randrange(9))}.{choice.choice(('de', 'fr', 'example'))}/{seed}"
    captured = datetime.datetime(2026, 10, 1, tzinfo=datetime.UTC) + datetime.timedelta(minutes=seed)
    licence = choice.choice(_LICENCES)
    known: dict[str, Any] = {
        "uid": uid(url, text),
        "url": url,
        "text": text,
        "title": text.split(".")[0][:60],
        "author": choice.choice((None, "A. Muster")),
        "date": choice.choice((None, "2026-09-30")),
        "language": language,
        "language_score": choice.choice((0.625, 0.875, 0.9375)),
        "languages": [
            {"language": language, "share": 0.75},
            {"language": "en" if language != "en" else "de", "share": 0.25},
        ],
        "page_language": language,
        "page_license": licence,
        "page_robots": choice.choice(_ROBOTS),
        "crawl": "CC-MAIN-2026-43",
        "warc_file": "CC-MAIN-20261001000000-20261001030000-00000.warc.gz",
        "warc_offset": 1000 * seed,
        "warc_length": 900,
        "captured_at": captured,
        "extractor": choice.choice(("careful", "careful", "quick")),
        "chars": len(text),
        "words": len(text.split()),
        "quality": [("dup_line_frac", 0.125), ("word_count", float(len(text.split())))],
        "text_key": key64(text.lower()),
        "url_key": key64(url),
        "host_key": key64(url.split("/")[2]),
        "seen": choice.choice((1, 1, 1, 2, 5)),
        "cluster_size": choice.choice((5, 6, 9)),
        "signals": [
            {"name": name, "says": says, "value": "as written", "url": "", "field": "", "line": 1, "at": captured}
            for name, says in choice.choice(_SIGNALS)
        ],
        "policy": "eu-research/2026-11-22",
        "verdict": "allowed",
        "order_key": order_key(0, uid(url, text)),
    }
    return dict.fromkeys(DOCUMENTS.names) | known | changes
