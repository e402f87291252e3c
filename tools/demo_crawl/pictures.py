"""Turns photographs and drawings into the files of the demo's web servers: every format, of natural sizes."""

import io
import tomllib
from dataclasses import dataclass
from pathlib import Path

import resvg_py
from PIL import Image, ImageChops

from demo_crawl.packages import Origin, drawing, photographs, unpack, version

PHOTO_SIDE = 384
DRAWING_SIDE = 300
THUMB_SIDE = 96
"""Longer sides in pixels. A small original stays as it is, byte for byte."""

FORMATS = {
    "heissluftballon": "avif",
    "taj-mahal": "avif",
    "orchester": "avif",
    "afrika": "gif",
    "europa": "gif",
    "gummiente": "gif",
    "schachspiel": "tiff",
    "brezel": "bmp",
    "weltkarte": "tiff",
    "cheops": "gray.jpg",
    "kuh": "cmyk.jpg",
    "kaetzchen": "rotated.jpg",
    "elch": "rotated.jpg",
    "chambord": "progressive.jpg",
    "igel": "progressive.jpg",
    "panda": "png",
    "saturn": "png",
    "kompass": "alpha.png",
    "trompete": "alpha.png",
}
"""Pictures that get another format than their kind's: so that every decoder and every turn of it has work."""

FILE_NAMES = {"muehle-altenbeichlingen": "Mühle Altenbeichlingen", "muehle-linda": "Mühle von Linda (1)"}
"""File names as people give them, with what a URL can't hold as it is."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture with its words and its file."""

    name: str
    group: str
    """What it shows: bauwerke, tiere, fische, ... ; decides on which sites it stands."""
    captions: dict[str, str]
    """Language code -> caption."""
    origin: Origin
    file: str
    """File name on the server."""
    data: bytes
    thumb: bytes
    """A small JPEG of it."""
    changed: str
    """What was done to the original, for the origin table."""

    @property
    def mime(self) -> str:
        """Content-Type."""
        kind = self.file.rpartition(".")[2]
        return "image/" + {"jpg": "jpeg", "tif": "tiff"}.get(kind, kind)


def load(folder: Path) -> list[Picture]:
    """All pictures of `pictures.toml`, made from the packages (kept in `folder`)."""
    roots = unpack(folder)
    versions = {package: f"{package} {version(folder, package)}" for package in roots}
    table = tomllib.loads((Path(__file__).parent / "pictures.toml").read_text())
    activities: dict[str, dict[str, tuple[bytes, Origin]]] = {}
    pictures = []
    for name, entry in table.items():
        kind, _, path = entry.pop("from").partition(":")
        if kind == "openclipart":
            svg, origin = drawing(roots["openclipart-svg"], path, versions["openclipart-svg"])
            pictures.append(_from_drawing(name, _drawing_group(path), entry, origin, svg))
            continue
        activity, _, file = path.partition("/")
        if activity not in activities:
            package = "gcompris-qt-data"
            activities[activity] = photographs(roots[package], activity, versions[package])
        data, origin = activities[activity][file]
        pictures.append(_from_photo(name, _photo_group(path), entry, origin, data))
    return pictures


def _photo_group(path: str) -> str:
    groups = {
        "monuments": "bauwerke",
        "explore_monuments": "bauwerke",
        "animals": "tiere",
        "erase": "tiere",
        "fishes": "fische",
        "solar_system": "planeten",
        "renewable": "muehlen",
        "tools": "werkzeug",
        "others": "werkzeug",
        "music": "musik",
    }
    return next(group for part, group in groups.items() if part in path.split("/"))


def _drawing_group(path: str) -> str:
    groups = {"animals": "tiere", "food": "essen", "recreation/music": "musik", "transportation": "fahrzeuge"}
    return next((group for start, group in groups.items() if path.startswith(start)), "zeichnungen")


def _from_photo(name: str, group: str, captions: dict[str, str], origin: Origin, data: bytes) -> Picture:
    image = Image.open(io.BytesIO(data))
    if max(image.size) <= 320 and name not in FORMATS:
        return Picture(name, group, captions, origin, _file(name, "webp"), data, _thumb(image), "unchanged")
    image = _flat(image, "black")
    image.thumbnail((PHOTO_SIDE, PHOTO_SIDE), Image.Resampling.LANCZOS)
    form = FORMATS.get(name, "jpg")
    done = f"scaled to {image.width}x{image.height}, {form}"
    return Picture(name, group, captions, origin, _file(name, form), _encode(image, form), _thumb(image), done)


def _from_drawing(name: str, group: str, captions: dict[str, str], origin: Origin, svg: bytes) -> Picture:
    png = resvg_py.svg_to_bytes(svg_string=svg.decode(), width=2 * DRAWING_SIDE, dpi=90.0, skip_system_fonts=True)
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    image = image.crop(image.getchannel("A").getbbox() or (0, 0, *image.size))
    image.thumbnail((DRAWING_SIDE, DRAWING_SIDE), Image.Resampling.LANCZOS)
    form = FORMATS.get(name) or ("png" if len(name) % 3 == 0 else "jpg")
    if form != "alpha.png":
        image = _with_margin(_flat(image, "white"))
    done = f"rendered at {image.width}x{image.height}, {form}"
    return Picture(
        name, group, captions, origin, _file(name, form), _encode(image, form), _thumb(_flat(image, "white")), done
    )


def _flat(image: Image.Image, background: str) -> Image.Image:
    if image.mode not in ("RGBA", "LA", "P"):
        return image.convert("RGB")
    rgba = image.convert("RGBA")
    flat = Image.new("RGB", image.size, background)
    flat.paste(rgba, mask=rgba.getchannel("A"))
    return flat


def _with_margin(image: Image.Image) -> Image.Image:
    box = ImageChops.difference(image, Image.new("RGB", image.size, "white")).getbbox()
    image = image.crop(box) if box else image
    whole = Image.new("RGB", (image.width + 16, image.height + 16), "white")
    whole.paste(image, (8, 8))
    return whole


def _file(name: str, form: str) -> str:
    title = FILE_NAMES.get(name, name)
    return f"{title}.{form.rpartition('.')[2]}"


def _thumb(image: Image.Image) -> bytes:
    small = image.convert("RGB")
    small.thumbnail((THUMB_SIDE, THUMB_SIDE), Image.Resampling.LANCZOS)
    return _save(small, "JPEG", quality=60, optimize=True)


def _encode(image: Image.Image, form: str) -> bytes:
    kind = form.rpartition(".")[2]
    if kind in ("gif", "bmp"):
        image.thumbnail((200, 200), Image.Resampling.LANCZOS)
    if form == "rotated.jpg":
        image = image.transpose(Image.Transpose.ROTATE_90)
    elif form in ("gray.jpg", "cmyk.jpg"):
        image = image.convert({"gray.jpg": "L", "cmyk.jpg": "CMYK"}[form])
    elif kind in ("png", "gif", "bmp", "tiff") and form != "alpha.png":
        image = image.quantize(96, dither=Image.Dither.NONE)
    options: dict[str, dict[str, object]] = {
        "jpg": {"quality": 76, "optimize": True},
        "progressive.jpg": {"quality": 76, "optimize": True, "progressive": True},
        "rotated.jpg": {"quality": 76, "optimize": True, "exif": _camera()},
        "png": {"optimize": True},
        "tiff": {"compression": "tiff_adobe_deflate"},
        "avif": {"quality": 60},
    }
    name = {"jpg": "JPEG", "tiff": "TIFF"}.get(kind, kind.upper())
    return _save(image, name, **options.get(form, options.get(kind, {})))


def _camera() -> Image.Exif:
    """EXIF as a phone writes it: turned by 90 degrees, with a (made-up) position that must not reach a release."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F], exif[0x0110] = "Allmende", "Demo camera"
    exif.get_ifd(0x8825).update({1: "N", 2: (51.0, 30.0, 0.0), 3: "E", 4: (7.0, 27.0, 0.0)})
    return exif


def _save(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()
