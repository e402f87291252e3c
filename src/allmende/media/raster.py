"""From a file to pixels: 8 bits, on white, no larger than needed.

JPEG goes through libjpeg-turbo (simplejpeg), which decodes at 1/2, 1/4 or 1/8 size by a smaller inverse transform
where the target allows it; the other ratios it offers have no vectorised code and are slower than full size. CMYK JPEG and
all other formats go through Pillow, told which decoder to use, so a file can't choose another by what follows.
"""

import struct
import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import cast

import numpy as np
import simplejpeg
from PIL import AvifImagePlugin, Image

from allmende.media import colour, exif, jpeg, strip
from allmende.media.colour import Kind
from allmende.media.probe import Format, Header
from allmende.media.resize import HALVE_ABOVE, Pixels
from allmende.reason import Reason

Image.MAX_IMAGE_PIXELS = None  # we count before we open: `images.max_pixels`
AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # a decoder for each core is enough

BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    ArithmeticError,
    RuntimeError,
    struct.error,
)
"""What Pillow raises on damaged files: found by mutating files of every format (tests/unit/media/test_hostile.py)."""

_BLOCK = 16
"""Below this many pixels at the smaller scale simplejpeg's choice of the scale could differ from ours."""

SCAN_PIXELS = 10
"""A progressive JPEG may visit `max_pixels` this often: encoders write about ten scans, a bomb thousands."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A file whose header was read, but not its pixels."""

    body: bytes
    format: Format
    width: int
    """As stored, before `orientation`."""
    height: int
    orientation: int
    """EXIF's, 1..8."""
    exif: bytes
    """EXIF block from its byte order mark on, or empty."""
    icc: bytes
    grey: bool
    """Whether simplejpeg decodes to one channel."""
    picture: Image.Image | None
    """Pillow's handle; None where simplejpeg decodes."""
    xmp: bytes = b""
    """XMP packet of an AVIF, which libavif has found; of other formats, `packets` finds it."""

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height after `orientation` is applied."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)


@dataclass(frozen=True, slots=True)
class Raster:
    """Decoded pixels, as stored: orientation and profile are still to be applied."""

    pixels: Pixels
    kind: Kind
    extent: tuple[float, float]
    """Width and height of the image in units of `pixels` (`resize.scale`)."""
    opaque: bool
    """False if there was an alpha channel that mattered; the pixels are on white."""


def open_file(body: bytes, header: Header, max_pixels: int) -> Opened | Reason:
    """Read what comes before the pixels."""
    found = header.jpeg
    if found is None:
        return _open_with_pillow(body, header)
    if found.progressive and jpeg.scans(body) * header.width * header.height > SCAN_PIXELS * max_pixels:
        return Reason.IMAGE_LARGE
    if found.components == 4:
        opened = _open_with_pillow(body, header)
        if isinstance(opened, Reason):
            return opened
        picture = opened.picture
    else:
        picture = None
    turned = exif.orientation(found.exif)
    grey = found.components == 1
    return Opened(body, "jpeg", header.width, header.height, turned, found.exif, found.icc, grey, picture)


def _open_with_pillow(body: bytes, header: Header) -> Opened | Reason:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(BytesIO(body), formats=(header.format.upper(),))
            block = picture.info.get("exif", b"").removeprefix(b"Exif\0\0")
            icc = picture.info.get("icc_profile") or b""
    except BROKEN as error:
        return _fate(error)
    turned = 1 if header.format == "tiff" else exif.orientation(block)  # Pillow turns TIFF itself
    xmp = picture.info.get("xmp", b"") if header.format == "avif" else b""
    block = body if header.format == "tiff" else block
    return Opened(body, header.format, *picture.size, turned, block, icc, False, picture, xmp)


def decode(opened: Opened, width: int, height: int) -> Raster | Reason:
    """Decode to at least `HALVE_ABOVE` times `width` x `height` (as stored), or to full size if that is smaller."""
    if opened.picture is not None:
        return _decode_with_pillow(opened.picture)
    most = min(opened.width / width, opened.height / height) / HALVE_ABOVE
    factor = next((factor for factor in (8, 4, 2) if factor <= most and factor * _BLOCK <= min(opened.upright)), 1)
    return _decode_jpeg(opened, factor)


def _decode_jpeg(opened: Opened, factor: int) -> Raster | Reason:
    """Decode, or decode what is left when stray bytes are taken out and a missing end marker is put in.

    libjpeg warns of both as it warns of damaged pixels, which are not taken.
    """
    try:
        pixels = _turbo(opened, opened.body, factor)
    except ValueError as error:
        repaired = strip.without_metadata(opened.body + b"\xff\xd9", "jpeg")
        if repaired is None:
            return _fate(error)
        try:
            pixels = _turbo(opened, repaired, factor)
        except ValueError:
            return _fate(error)
    extent = (opened.width / factor, opened.height / factor)
    if opened.grey:
        return Raster(pixels[:, :, 0], "grey", extent, opaque=True)
    return Raster(pixels, "rgb", extent, opaque=True)


def _turbo(opened: Opened, body: bytes, factor: int) -> Pixels:
    """Decode at 1/`factor` size. Whatever libjpeg warns of is a ValueError."""
    least = {"min_width": opened.width // factor, "min_height": opened.height // factor} if factor > 1 else {}
    space = "GRAY" if opened.grey else "BGRX"
    return cast("Pixels", simplejpeg.decode_jpeg(body, space, min_factor=factor, **least))


def _fate(error: Exception) -> Reason:
    """Damage, or a decoder that says that its memory cap is reached."""
    return Reason.DECODER_CRASHED if "memory" in str(error).lower() else Reason.IMAGE_UNDECODABLE


def _decode_with_pillow(picture: Image.Image) -> Raster | Reason:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            flat, opaque = _flattened(picture)
    except BROKEN as error:
        return _fate(error)
    if flat is None:
        return Reason.IMAGE_UNDECODABLE
    pixels = colour.from_picture(flat)
    kind: Kind = "grey" if flat.mode == "L" else "cmyk" if flat.mode == "CMYK" else "rgb"
    return Raster(pixels, kind, (float(flat.width), float(flat.height)), opaque=opaque)


def _flattened(picture: Image.Image) -> tuple[Image.Image | None, bool]:
    """The first frame as L, RGB or CMYK, transparent parts white; and whether it was opaque.

    None for numbers without a defined white: 32-bit integers and floats of TIFF.
    """
    picture.load()
    if picture.mode in {"I", "F"}:
        return None, True
    if picture.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8)), True
    if picture.has_transparency_data:
        return _on_white(picture)
    if picture.mode in {"L", "RGB", "CMYK"}:
        return picture, True
    return picture.convert("L" if picture.mode == "1" else "RGB"), True


def _on_white(picture: Image.Image) -> tuple[Image.Image, bool]:
    grey = picture.mode in {"L", "LA", "1"}
    alpha = picture.convert("RGBA").getchannel("A") if picture.mode != "LA" else picture.getchannel("A")
    solid = picture.convert("L" if grey else "RGBA").convert("L" if grey else "RGB")
    if alpha.getextrema() == (255, 255):
        return solid, True
    white = Image.new(solid.mode, solid.size, "white")
    white.paste(solid, mask=alpha)
    return white, False
