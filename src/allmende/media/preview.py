"""BlurHash (blurha.sh, algorithm description of the reference implementation): an image in 28 characters.

Four by three cosine components of the linear colours, so any BlurHash decoder draws the preview.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from allmende.media.resize import Pixels

ACROSS, DOWN = 4, 3
"""Components."""

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"

_LINEAR = np.array(
    [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in np.arange(256) / 255],
    np.float32,
)
"""sRGB to linear light (IEC 61966-2-1), by byte."""


def blurhash(thumbnail: Pixels) -> str:
    """BlurHash of a small image (64 x 64, say), grey or BGRX."""
    if thumbnail.ndim == 2:
        thumbnail = np.repeat(thumbnail[:, :, None], 3, axis=2)
    height, width = thumbnail.shape[:2]
    light = _LINEAR[thumbnail[:, :, 2::-1]].reshape(height, width * 3)
    rows = (_basis(DOWN, height) @ light).reshape(DOWN, width, 3)
    factors: NDArray[np.float32] = (_basis(ACROSS, width) @ rows).reshape(-1, 3)
    return _written(factors[0], 2 * factors[1:])


@lru_cache(maxsize=8)
def _basis(components: int, samples: int) -> NDArray[np.float32]:
    """Cosines, one row a component, divided by their number: a product with samples is a mean."""
    rows = [[math.cos(math.pi * k * x / samples) / samples for x in range(samples)] for k in range(components)]
    return np.array(rows, np.float32)


def _written(constant: NDArray[np.float32], waves: NDArray[np.float32]) -> str:
    step = max(0, min(82, math.floor(float(np.abs(waves).max()) * 166 - 0.5)))
    relative = waves / np.float32((step + 1) / 166)
    levels = np.copysign(np.sqrt(np.abs(relative)), relative) * 9 + np.float32(9.5)  # signed square root on 19 levels
    red, green, blue = (_srgb(value) for value in constant.tolist())
    first = [_base83((ACROSS - 1) + (DOWN - 1) * 9, 1), _base83(step, 1), _base83(red << 16 | green << 8 | blue, 4)]
    numbers = np.clip(levels, 0, 18).astype(np.int64) @ _PLACES
    return "".join(first) + "".join([_PAIRS[number] for number in numbers.tolist()])


_PLACES = np.array([19 * 19, 19, 1])


def _srgb(value: float) -> int:
    value = max(0.0, min(1.0, value))
    return round(255 * (value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055))


def _base83(value: int, length: int) -> str:
    return "".join(_DIGITS[value // 83**place % 83] for place in reversed(range(length)))


_PAIRS = [_base83(number, 2) for number in range(19**3)]
"""Three levels in two digits."""
