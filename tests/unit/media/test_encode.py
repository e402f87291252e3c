"""Files that other programs read, with the pixels that went in."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from allmende.media import colour
from allmende.media.encode import encode
from allmende.recipe import Images


@pytest.mark.parametrize(
    ("format", "quality", "least"), [("jpg", 95, 27), ("png", 9, 99), ("webp", 90, 27), ("avif", 90, 27)]
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_round_trip(pictures, format, quality, least, mode):
    image = pictures.make(120, 80).convert(mode)
    body = encode(colour.from_picture(image), Images(format=format, quality=quality))
    assert pictures.psnr(pictures.open(body), np.asarray(image.convert("RGB"))) >= least
    with Image.open(io.BytesIO(body)) as again:
        assert again.size == (120, 80)
        assert again.format == {"jpg": "JPEG"}.get(format, format.upper())
        assert not again.info.keys() & {"exif", "icc_profile", "xmp"}


def test_grey_stays_one_channel_where_the_format_has_it(pictures):
    pixels = colour.from_picture(pictures.make(120, 80).convert("L"))
    for format in ("jpg", "png"):
        with Image.open(io.BytesIO(encode(pixels, Images(format=format, quality=9)))) as image:
            assert image.mode == "L"


def test_jpg_has_the_bytes_of_img2dataset(pictures):
    pixels = colour.from_picture(pictures.make(120, 80))
    bgr = np.ascontiguousarray(pixels[:, :, :3])
    theirs = cv2.imencode(".jpg", bgr, params=[int(cv2.IMWRITE_JPEG_QUALITY), 95])[1].tobytes()
    assert encode(pixels, Images(quality=95)) == theirs


def test_quality_is_used(pictures):
    pixels = colour.from_picture(pictures.make(200, 150))
    for format in ("jpg", "webp", "avif"):
        sizes = [len(encode(pixels, Images(format=format, quality=quality))) for quality in (0, 50, 95)]
        assert sizes == sorted(set(sizes)), format
    flat = np.zeros((200, 200), np.uint8)
    assert len(encode(flat, Images(format="png", quality=0))) > len(encode(flat, Images(format="png", quality=9)))


def test_the_same_pixels_give_the_same_bytes(pictures):
    pixels = colour.from_picture(pictures.make(200, 150))
    for format in ("jpg", "png", "webp", "avif"):
        options = Images(format=format, quality=9)
        assert encode(pixels, options) == encode(pixels.copy(), options)
