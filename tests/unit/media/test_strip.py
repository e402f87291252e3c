"""Metadata goes, pixels stay as they are, bit by bit."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from allmende.media.strip import without_metadata

SECRET = b"52 deg 31 min North"


def tagged(pictures, format, **settings):
    """A file with the secret in every place that Pillow can write it to."""
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + SECRET
    settings |= {"exif": exif, "icc_profile": icc}
    if format == "JPEG":
        settings |= {"comment": SECRET, "xmp": b"<x>" + SECRET + b"</x>"}
    if format == "WEBP":
        settings |= {"xmp": b"<x>" + SECRET + b"</x>"}
    if format == "PNG":
        settings["pnginfo"] = PngImagePlugin.PngInfo()
        settings["pnginfo"].add_text("Location", SECRET.decode())
        settings["pnginfo"].add_itxt("XML:com.adobe.xmp", SECRET.decode(), zip=False)
    return pictures.write(pictures.make(100, 75), format, **settings)


CASES = [
    ("jpeg", "JPEG", {"quality": 80}),
    ("jpeg", "JPEG", {"progressive": True}),
    ("jpeg", "JPEG", {"restart_marker_rows": 1}),
    ("png", "PNG", {}),
    ("webp", "WEBP", {}),
    ("webp", "WEBP", {"lossless": True}),
]


@pytest.mark.parametrize(("kind", "format", "settings"), CASES)
def test_metadata_goes_and_pixels_stay(pictures, kind, format, settings):
    body = tagged(pictures, format, **settings) + SECRET
    stripped = without_metadata(body, kind)
    assert SECRET in body
    assert SECRET not in stripped
    assert b"Exif" not in stripped
    assert b"ICC" not in stripped
    with Image.open(io.BytesIO(stripped)) as image:
        assert not {"exif", "icc_profile", "xmp", "comment", "Location"} & image.info.keys()
    assert np.array_equal(pictures.open(stripped), pictures.open(body))
    assert without_metadata(stripped, kind) == stripped


def test_a_jfif_thumbnail_goes(pictures):
    body = pictures.write(pictures.make(64, 48), "JPEG")
    thumbnail = b"\xff\xe0" + (16 + 3 * 4).to_bytes(2) + b"JFIF\0\1\1\1\0\x48\0\x48\2\2" + b"thumbnail123"
    stripped = without_metadata(body[:2] + thumbnail + body[20:], "jpeg")
    assert b"thumbnail" not in stripped
    assert np.array_equal(pictures.open(stripped), pictures.open(body))


def test_the_colours_of_an_rgb_jpeg_stay(pictures):
    body = pictures.write(pictures.make(64, 48), "JPEG", keep_rgb=True)
    assert np.array_equal(pictures.open(without_metadata(body, "jpeg")), pictures.open(body))


@pytest.mark.parametrize("kind", ["gif", "avif", "bmp", "tiff"])
def test_other_formats_are_encoded_anew(kind):
    assert without_metadata(b"anything", kind) is None


def test_animations_and_alpha_are_encoded_anew(pictures):
    image = pictures.make(64, 48)
    moving = pictures.write(image, "WEBP", save_all=True, append_images=[image.rotate(90)])
    clear = image.convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(image.size))
    assert without_metadata(moving, "webp") is None
    assert without_metadata(pictures.write(clear, "WEBP"), "webp") is None


@pytest.mark.parametrize(("kind", "format", "settings"), CASES)
def test_a_file_cut_short_is_not_stored(pictures, kind, format, settings):
    body = pictures.write(pictures.make(100, 75), format, **settings)
    for length in (0, 12, len(body) // 2, len(body) - 3):
        assert without_metadata(body[:length], kind) is None


@given(st.sampled_from(["jpeg", "png", "webp"]), st.binary(max_size=300))
def test_never_raises(kind, body):
    stripped = without_metadata(body, kind)
    assert stripped is None or len(stripped) <= len(body) + 30
