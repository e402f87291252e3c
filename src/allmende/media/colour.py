"""Colours as numbers of sRGB, the only meaning that pixels without a profile have.

img2dataset drops ICC profiles without applying them, so that a photograph in Adobe RGB or Display P3 turns pale.
Here the profile is applied (LittleCMS, after scaling down, where it costs little) and then dropped. CMYK without a
profile is converted as Pillow does. Grey images stay grey; their profiles (dot gain, gamma 2.2) are ignored.
"""

from functools import lru_cache
from io import BytesIO
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from allmende.media.resize import Pixels

Kind = Literal["grey", "rgb", "cmyk"]

LUMA = np.array([0.114, 0.587, 0.299, 0], np.float32)
"""Weights of blue, green, red and the unused channel in luma (ITU-R BT.601), as JPEG and PDQ have them."""

_SPACE: dict[Kind, bytes] = {"rgb": b"RGB ", "cmyk": b"CMYK"}
"""Colour space signature in an ICC profile's header (ICC.1, 7.2.6)."""


def is_srgb(icc: bytes) -> bool:
    """Whether nothing has to be converted: no profile, or one that calls itself sRGB."""
    return not icc or b"sRGB" in icc or "sRGB".encode("utf-16-be") in icc


def to_srgb(pixels: Pixels, kind: Kind, icc: bytes) -> Pixels:
    """Convert to sRGB: 4 channels (BGRX or CMYK) in, BGRX out; grey stays as it is."""
    if kind == "grey" or (kind == "rgb" and is_srgb(icc)):
        return pixels
    picture = as_picture(pixels, kind)
    transform = _transform(icc, kind)
    if transform is not None:
        return from_picture(transform.apply(picture))
    return pixels if kind == "rgb" else from_picture(picture.convert("RGB"))


@lru_cache(maxsize=16)
def _transform(icc: bytes, kind: Kind) -> ImageCms.ImageCmsTransform | None:
    """The way from this profile to sRGB; None if the profile is damaged or for another kind of image."""
    if icc[16:20] != _SPACE[kind]:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(icc))
        return ImageCms.buildTransform(profile, _srgb(), "CMYK" if kind == "cmyk" else "RGB", "RGB")
    except (ImageCms.PyCMSError, OSError):
        return None


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def as_picture(pixels: Pixels, kind: Kind) -> Image.Image:
    """The same pixels as a Pillow image: L, RGB or CMYK."""
    size = (pixels.shape[1], pixels.shape[0])
    data = np.ascontiguousarray(pixels)
    if kind == "grey":
        return Image.frombuffer("L", size, data, "raw", "L", 0, 1)
    if kind == "cmyk":
        return Image.frombuffer("CMYK", size, data, "raw", "CMYK", 0, 1)
    return Image.frombytes("RGB", size, data.data, "raw", "BGRX")


def from_picture(picture: Image.Image) -> Pixels:
    """The pixels of a Pillow image in mode L, RGB or CMYK."""
    width, height = picture.size
    if picture.mode == "L":
        return np.frombuffer(picture.tobytes(), np.uint8).reshape(height, width)
    raw = picture.tobytes("raw", "BGRX" if picture.mode == "RGB" else "CMYK")
    return np.frombuffer(raw, np.uint8).reshape(height, width, 4)


def luma(pixels: Pixels) -> NDArray[np.float32]:
    """Brightness, 0..255."""
    return pixels.astype(np.float32) if pixels.ndim == 2 else pixels @ LUMA
