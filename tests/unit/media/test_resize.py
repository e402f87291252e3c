"""Sizes and modes as img2dataset has them, and a way to scale down that loses nothing by its speed."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from allmende.media import colour, resize
from allmende.recipe import Images

KEEP, LARGEST, CROP, BORDER, NO = "keep_ratio", "keep_ratio_largest", "center_crop", "border", "no"


@pytest.mark.parametrize(
    ("mode", "only_if_bigger", "source", "scaled", "stored"),
    [
        # what img2dataset 1.47.0 returns for these (Resizer, image_size 256)
        (KEEP, True, (1600, 1067), (384, 256), (384, 256)),
        (KEEP, True, (701, 503), (357, 256), (357, 256)),
        (KEEP, True, (199, 151), (199, 151), (199, 151)),
        (KEEP, False, (199, 151), (337, 256), (337, 256)),
        (KEEP, True, (256, 300), (256, 300), (256, 300)),
        (LARGEST, True, (1600, 1067), (256, 171), (256, 171)),
        (LARGEST, False, (199, 151), (256, 194), (256, 194)),
        (CROP, True, (1600, 1067), (384, 256), (256, 256)),
        (CROP, True, (199, 151), (199, 151), (199, 151)),
        (CROP, False, (199, 151), (337, 256), (256, 256)),
        (BORDER, True, (1600, 1067), (256, 171), (256, 256)),
        (BORDER, True, (199, 151), (199, 151), (199, 151)),
        (BORDER, False, (199, 151), (256, 194), (256, 256)),
        (NO, True, (1600, 1067), (1600, 1067), (1600, 1067)),
        (NO, False, (199, 151), (199, 151), (199, 151)),
    ],
)
def test_sizes_are_img2datasets(mode, only_if_bigger, source, scaled, stored):
    plan = resize.plan(Images(size=256, mode=mode, only_if_bigger=only_if_bigger), *source)
    assert (plan.width, plan.height) == scaled
    pixels = np.zeros((plan.height, plan.width, 4), np.uint8)
    final = resize.squared(pixels, plan.square) if plan.square else pixels
    assert (final.shape[1], final.shape[0]) == stored
    assert plan.resized == (scaled != source)


def test_halves_are_rounded_to_even_as_python_does():
    plan = resize.plan(Images(size=100, mode=KEEP), 205, 200)
    assert (plan.width, plan.height) == (102, 100)


def test_a_thread_of_an_image_keeps_a_pixel():
    plan = resize.plan(Images(size=100, mode=LARGEST), 100_000, 10)
    assert (plan.width, plan.height) == (100, 1)


def test_the_odd_pixel_goes_right_and_down():
    ramp = np.arange(5, dtype=np.uint8)[:, None] * 10 + np.arange(5, dtype=np.uint8)
    cut = resize.squared(ramp, 2)
    assert cut.tolist() == [[11, 12], [21, 22]]
    padded = resize.squared(ramp, 8)
    assert padded[0].tolist() == [255] * 8
    assert padded[1, 1:6].tolist() == [0, 1, 2, 3, 4]
    assert padded[6].tolist() == padded[7].tolist() == [255] * 8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_turns_as_pillow_does(orientation):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7), np.uint8)
    image = Image.fromarray(pixels)
    image.getexif()[0x0112] = orientation
    assert np.array_equal(resize.upright(pixels, orientation), np.asarray(ImageOps.exif_transpose(image)))


@pytest.mark.parametrize(("width", "height"), [(1600, 1200), (1024, 683), (701, 503), (640, 480), (330, 260)])
def test_shrunk_is_close_to_area_averages(pictures, width, height):
    pixels = colour.from_picture(pictures.make(width, height))
    plan = resize.plan(Images(size=256), width, height)
    area = cv2.resize(pixels, (plan.width, plan.height), interpolation=cv2.INTER_AREA)
    assert pictures.psnr(resize.scale(pixels, plan.width, plan.height), area) > 40


@pytest.mark.parametrize("extent", [1067, 1066.5, 1066.25, 700, 333.5])
def test_an_edge_stays_where_it_is(extent):
    """Also where the image's border cuts through the last column, as in a JPEG decoded at half size."""
    pixels = np.zeros((300, int(np.ceil(extent))), np.uint8)
    pixels[:, :240] = 255
    row = resize.scale(pixels, 256, 100, (extent, 300.0))[50].astype(float)
    assert abs(row.sum() / 255 - 240 * 256 / extent) < 0.05


def test_enlarging_is_lanczos(pictures):
    pixels = colour.from_picture(pictures.make(199, 151))
    expected = cv2.resize(pixels, (337, 256), interpolation=cv2.INTER_LANCZOS4)
    assert np.array_equal(resize.scale(pixels, 337, 256), expected)


@given(
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
    st.tuples(st.integers(1, 200), st.integers(1, 200)),
    st.booleans(),
)
def test_any_size_becomes_any_size(source, target, grey):
    shape = (source[1], source[0]) if grey else (source[1], source[0], 4)
    scaled = resize.scale(np.full(shape, 77, np.uint8), *target)
    assert scaled.shape[:2] == (target[1], target[0])
    assert scaled.ndim == (2 if grey else 3)
    assert (scaled == 77).all()


@given(st.integers(1, 3_000), st.integers(1, 3_000), st.sampled_from([KEEP, LARGEST, CROP, BORDER, NO]), st.booleans())
def test_plans_keep_their_promise(width, height, mode, only_if_bigger):
    options = Images(size=97, mode=mode, only_if_bigger=only_if_bigger)
    plan = resize.plan(options, width, height)
    if only_if_bigger:
        assert plan.width <= width
        assert plan.height <= height
    if plan.resized:
        side = min(plan.width, plan.height) if mode in {KEEP, CROP} else max(plan.width, plan.height)
        assert side == 97
