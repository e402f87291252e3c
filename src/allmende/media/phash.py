"""PDQ, the perceptual hash that industry's and hotlines' hash lists use (Facebook, 2019, "PDQ & TMK + PDQF").

256 bits: luma on 64 x 64, the 16 x 16 lowest frequencies of its cosine transform without the constant ones, each
above the median or not. Bit 16 * i + j stands for row i, column j, and is written as 2 ** (16 * i + j) in the
hexadecimal number, so the digits are those that the reference implementation prints. Two images are the same picture
if at most 31 bits differ, says the paper; below quality 50 the image has too little detail to tell.

The reference blurs the full image with two box filters and takes every n-th pixel; we average to 64 x 64 from the
scaled-down image. The two differ by 7 bits on average (docs/decisions/0005-image-decoding.md), less than the reference
differs from itself when the image is scaled down first.
"""

import numpy as np
from numpy.typing import NDArray

SIDE = 64
"""Rows and columns of the luma that `pdq` expects."""

_DCT = np.array(
    [[np.sqrt(2 / SIDE) * np.cos(np.pi / 2 / SIDE * k * (2 * x + 1)) for x in range(SIDE)] for k in range(1, 17)],
    np.float32,
)


def pdq(luma: NDArray[np.float32]) -> tuple[str, int]:
    """Hash and quality of an image.

    Args:
        luma: The whole image, upright, scaled to 64 x 64 regardless of its aspect ratio; 0..255.

    Returns:
        64 hexadecimal digits, and the quality 0..100.
    """
    frequencies = (_DCT @ luma @ _DCT.T).ravel()
    median = np.partition(frequencies, 127)[127]
    bits = np.packbits(frequencies > median, bitorder="little")
    return bits[::-1].tobytes().hex(), _quality(luma)


def _quality(luma: NDArray[np.float32]) -> int:
    """Sum of the brightness steps between neighbours, in hundredths, over 90, at most 100: the reference's formula."""
    steps = [np.abs(np.diff(luma, axis=axis)) * np.float32(100 / 255) for axis in (0, 1)]
    return min(100, sum(int(step.astype(np.int32).sum()) for step in steps) // 90)
