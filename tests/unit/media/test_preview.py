"""BlurHash, to the letter of the reference implementation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from allmende.media import colour, preview

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"

REFERENCE = {
    0: ("LPI5Yy}G$mtVO$r;ERPK#Fb=EBQ_", "L6GlL@~q?b_3RjM{00?bRj?b4n00"),
    1: ("LPHBoO+7oYwT~K,:%KxU#kckXR-M", "LDE:0nIUWBxu~q%M-;xut7?bt7-;"),
    2: ("LKI#12[0oqPK:$}6@+Bm-gq^MVv4", "L6FiPxM{ay-;4n?bofIU?bD%009F"),
}
"""What blurhash 1.1.4 (`encode(thumbnail, 4, 3)`) says of our test pictures, in colour and in grey."""


def number(text):
    value = 0
    for letter in text:
        value = value * 83 + DIGITS.index(letter)
    return value


def average_colour(text):
    value = number(text[2:6])
    return value >> 16, value >> 8 & 255, value & 255


@pytest.mark.parametrize("seed", REFERENCE)
def test_equals_the_reference(pictures, seed):
    thumbnail = pictures.make(seed=seed).resize((64, 64), Image.Resampling.BOX)
    expected, expected_grey = REFERENCE[seed]
    assert preview.blurhash(colour.from_picture(thumbnail)) == expected
    assert preview.blurhash(colour.from_picture(thumbnail.convert("L"))) == expected_grey


def test_one_colour_is_that_colour():
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[:, :] = (30, 120, 200, 0)
    text = preview.blurhash(pixels)
    assert average_colour(text) == (200, 120, 30)
    assert number(text[0]) == 3 + 2 * 9


def test_waves_go_the_right_way():
    left = np.zeros((64, 64), np.uint8)
    left[:, :32] = 255
    across, down = number(preview.blurhash(left)[6:8]), number(preview.blurhash(left.T.copy())[6:8])
    assert across > 17 * 19 * 19 > down


@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(4))))
def test_always_28_characters(pixels):
    text = preview.blurhash(pixels)
    assert len(text) == 28
    assert set(text) <= set(DIGITS)
    light = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in (pixels[..., 1] / 255).flat
    ]
    mean = sum(light) / len(light)
    green = 255 * (mean * 12.92 if mean <= 0.0031308 else 1.055 * mean ** (1 / 2.4) - 0.055)
    assert math.isclose(average_colour(text)[1], green, abs_tol=1)
