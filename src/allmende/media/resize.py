"""Which size an image gets, and how it gets there.

Modes, sizes and rounding are img2dataset's (`Resizer`, with albumentations' SmallestMaxSize, LongestMaxSize,
CenterCrop and PadIfNeeded), so that a dataset can be continued with the other tool.

The way to a smaller size is not: `cv2.INTER_AREA`, which img2dataset uses, has no vectorised code for ratios that are
not whole, and took longer than decoding the JPEG. `shrink` halves until less than three times the target is left,
interpolates (bicubic) to twice the target and averages 2 x 2: the same frequencies pass, in a fifth of the time.
Measured in docs/decisions/0005-image-decoding.md.
"""

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from allmende.recipe import Images

Pixels = NDArray[np.uint8]
"""Height x width (grey), or height x width x 4 (OpenCV's order: blue, green, red and one unused)."""

HALVE_ABOVE = 1.25
"""Rows and columns that are left at least, per row and column of the target, when an image is halved.

Measured on photographs: from 1.25 on the result is as close to a Lanczos-scaled original as img2dataset's.
"""

_UPRIGHT = {
    2: (None, 1),
    3: (cv2.ROTATE_180, None),
    4: (None, 0),
    5: (cv2.ROTATE_90_CLOCKWISE, 1),
    6: (cv2.ROTATE_90_CLOCKWISE, None),
    7: (cv2.ROTATE_90_COUNTERCLOCKWISE, 1),
    8: (cv2.ROTATE_90_COUNTERCLOCKWISE, None),
}
"""EXIF orientation: the rotation to apply, then the flip (1: left to right, 0: top to bottom)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to an upright image of a given size."""

    width: int
    """Size to scale to, in pixels."""
    height: int
    resized: bool
    """Whether anything happens at all."""
    square: int
    """Side of the square to crop or pad to; 0 for neither."""


def plan(options: Images, width: int, height: int) -> Plan:
    """Plan for an upright image of `width` x `height` pixels."""
    size, mode = options.size, options.mode
    inner = mode in {"keep_ratio", "center_crop"}
    side = min(width, height) if inner else max(width, height)
    if mode == "no" or (options.only_if_bigger and side <= size):
        return Plan(width, height, resized=False, square=0)
    scale = size / side
    square = size if mode in {"center_crop", "border"} else 0
    return Plan(max(1, round(width * scale)), max(1, round(height * scale)), resized=True, square=square)


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Undo an EXIF orientation (1..8)."""
    rotation, flip = _UPRIGHT.get(orientation, (None, None))
    turned = pixels if rotation is None else cv2.rotate(pixels, rotation)
    return cast("Pixels", turned if flip is None else cv2.flip(turned, flip))


def scale(pixels: Pixels, width: int, height: int, extent: tuple[float, float] | None = None) -> Pixels:
    """Scale to `width` x `height`: smaller with `shrink`, larger with Lanczos as img2dataset does.

    Args:
        pixels: The image.
        width: Target, pixels.
        height: Target, pixels.
        extent: Width and height of the image in units of `pixels`, where its edge cuts through the last
            column or row (a JPEG decoded at half size: 1067 rows become 533.5); default: their number.
    """
    across, down = extent or (float(pixels.shape[1]), float(pixels.shape[0]))
    if (across, down) == (width, height):
        return pixels
    if width > across or height > down:
        least = (min(width, pixels.shape[1]), min(height, pixels.shape[0]))
        if least != (pixels.shape[1], pixels.shape[0]):
            pixels = shrink(pixels, *least, across, down)
        return _resized(pixels, (width, height), cv2.INTER_LANCZOS4)
    return shrink(pixels, width, height, across, down)


def shrink(pixels: Pixels, width: int, height: int, across: float, down: float) -> Pixels:
    """Scale down to `width` x `height`; `across` x `down` is the extent as in `scale`."""
    limit = 2 * HALVE_ABOVE
    while across >= limit * width and down >= limit * height:
        pixels, across, down = _halved(pixels, 2, 2), across / 2, down / 2
    while across >= 2 * limit * width:
        pixels, across = _halved(pixels, 2, 1), across / 2
    while down >= 2 * limit * height:
        pixels, down = _halved(pixels, 1, 2), down / 2
    twice = _resized(pixels, None, cv2.INTER_CUBIC, fx=2 * width / across, fy=2 * height / down)
    if twice.shape[0] < 2 * height or twice.shape[1] < 2 * width:
        twice = _resized(pixels, (2 * width, 2 * height), cv2.INTER_CUBIC)
    return _resized(twice[: 2 * height, : 2 * width], (width, height), cv2.INTER_AREA)


def _resized(pixels: Pixels, size: tuple[int, int] | None, how: int, *, fx: float = 0, fy: float = 0) -> Pixels:
    """Call `cv2.resize`: to `size`, or by exact factors, which it rounds to a size only afterwards."""
    return cast("Pixels", cv2.resize(pixels, size, fx=fx, fy=fy, interpolation=how))


def _halved(pixels: Pixels, across: int, down: int) -> Pixels:
    """Average pairs along one axis or both; the last row or column of an odd number counts twice."""
    height, width = pixels.shape[:2]
    if height % down or width % across:
        pixels = _bordered(pixels, (0, height % down, 0, width % across), cv2.BORDER_REPLICATE)
    return _resized(pixels, (pixels.shape[1] // across, pixels.shape[0] // down), cv2.INTER_AREA)


def _bordered(pixels: Pixels, widths: tuple[int, int, int, int], kind: int) -> Pixels:
    """Add a border: top, bottom, left, right; white if it is constant."""
    return cast("Pixels", cv2.copyMakeBorder(pixels, *widths, kind, value=(255, 255, 255, 255)))


def squared(pixels: Pixels, side: int) -> Pixels:
    """Cut or pad (white) to a square around the middle; the odd pixel goes right and down."""
    height, width = pixels.shape[:2]
    top, left = max(0, height - side) // 2, max(0, width - side) // 2
    pixels = pixels[top : top + side, left : left + side]
    down, across = side - pixels.shape[0], side - pixels.shape[1]
    if not down and not across:
        return pixels
    above, before = down // 2, across // 2
    return _bordered(pixels, (above, down - above, before, across - before), cv2.BORDER_CONSTANT)
