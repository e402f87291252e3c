"""PDQ: the reference's bits, and how they bear what happens to images on the web."""

import io

import numpy as np
import pytest
from PIL import Image

from allmende.media import colour, phash, resize

REFERENCE = {
    0: "6fba1022b0f8881d5bfe70c8b0fba3214f9a7ce297078b118e657e677789238c",
    1: "67f1d83c03fc8a1790f8024c84fc2f012459d916cf2f5f2979e6318e70edcd37",
    2: "cf89dd2b63d88a9c92a2ff4b29b020a4269a5d2b5965abd0366dbe51be58419b",
}
"""What pdqhash 0.2.8, which wraps the reference implementation, says of our test pictures."""

SAME = 31
"""Bits that may differ in the same picture, says PDQ's paper."""


def pdq(image):
    pixels = colour.from_picture(image.convert("RGB"))
    return phash.pdq(colour.luma(resize.scale(pixels, phash.SIDE, phash.SIDE)))[0]


def distance(one, other):
    return (int(one, 16) ^ int(other, 16)).bit_count()


@pytest.mark.parametrize("seed", REFERENCE)
def test_close_to_the_reference(pictures, seed):
    assert distance(pdq(pictures.make(seed=seed)), REFERENCE[seed]) <= 16


def test_the_definition_computed_slowly(pictures):
    """Bit 16 * i + j: frequency i + 1 down and j + 1 across, above the median; written as a number."""
    luma = colour.luma(resize.scale(colour.from_picture(pictures.make()), 64, 64)).astype(float)
    x = np.arange(64)
    values = [
        (
            luma * np.outer(np.cos(np.pi * (i + 1) * (2 * x + 1) / 128), np.cos(np.pi * (j + 1) * (2 * x + 1) / 128))
        ).sum()
        for i in range(16)
        for j in range(16)
    ]
    number = sum(1 << k for k, value in enumerate(values) if value > sorted(values)[127])
    assert distance(phash.pdq(luma.astype(np.float32))[0], f"{number:064x}") <= 1  # rounding at the median


def recompressed(image):
    out = io.BytesIO()
    image.save(out, "JPEG", quality=30)
    return Image.open(out)


@pytest.mark.parametrize(
    "change",
    [
        recompressed,
        lambda image: image.resize((320, 240), Image.Resampling.BICUBIC),
        lambda image: image.resize((1280, 960), Image.Resampling.BICUBIC),
        lambda image: image.resize((640, 400), Image.Resampling.LANCZOS),
        lambda image: image.point(lambda value: min(255, int(value * 1.1))),
        lambda image: image.convert("L"),
    ],
    ids=["quality 30", "half", "double", "squeezed", "brighter", "grey"],
)
def test_the_same_picture_after_a_change(pictures, change):
    image = pictures.make()
    assert distance(pdq(image), pdq(change(image))) <= SAME


def test_other_pictures_are_far_away(pictures):
    hashes = [pdq(pictures.make(seed=seed)) for seed in range(12)]
    distances = [distance(one, other) for k, one in enumerate(hashes) for other in hashes[:k]]
    assert min(distances) > 2 * SAME
    assert all(int(value, 16).bit_count() in range(120, 129) for value in hashes)


def test_quality_tells_detail_from_none():
    flat = np.full((64, 64), 128, np.float32)
    assert phash.pdq(flat)[1] == 0
    noise = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.float32)
    assert phash.pdq(noise)[1] == 100
    step = np.zeros((64, 64), np.float32)
    step[:, 32:] = 255
    assert phash.pdq(step)[1] == 64 * 100 // 90
