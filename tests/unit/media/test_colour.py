"""Everything becomes sRGB."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from allmende.media import colour


def profile(description="wide", red=(0.68, 0.32), green=(0.265, 0.69), blue=(0.15, 0.06)):
    """A display profile (gamma 2.2, D65) with the given primaries; the default is Display P3's gamut."""

    def matrix():
        to_xyz = np.array([[x / y, 1, (1 - x - y) / y] for x, y in (red, green, blue)]).T
        white = np.array([0.9504, 1.0, 1.0888])
        to_xyz = to_xyz * np.linalg.solve(to_xyz, white)
        bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
        d50 = np.array([0.9642, 1.0, 0.8249])
        adapt = np.linalg.inv(bradford) @ np.diag((bradford @ d50) / (bradford @ white)) @ bradford
        return adapt @ to_xyz

    def fixed(value):
        return round(value * 65_536).to_bytes(4, signed=True)

    def text(value):
        raw = value.encode("utf-16-be")
        return (
            b"mluc"
            + bytes(4)
            + (1).to_bytes(4)
            + (12).to_bytes(4)
            + b"enUS"
            + len(raw).to_bytes(4)
            + (28).to_bytes(4)
            + raw
        )

    columns = matrix().T
    tags = {
        b"desc": text(description),
        b"cprt": text("none"),
        b"wtpt": b"XYZ \0\0\0\0" + b"".join(map(fixed, (0.9642, 1, 0.8249))),
    }
    for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True):
        tags[name] = b"XYZ \0\0\0\0" + b"".join(map(fixed, column))
    for name in (b"rTRC", b"gTRC", b"bTRC"):
        tags[name] = b"curv\0\0\0\0" + (1).to_bytes(4) + int(2.2 * 256).to_bytes(2)
    table, data = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        padded = content + bytes(-len(content) % 4)
        table += name + (start + len(data)).to_bytes(4) + len(content).to_bytes(4)
        data += padded
    header = b"\0\0\0\0lcms" + b"\4\x40\0\0" + b"mntrRGB XYZ " + bytes(12) + b"acsp" + bytes(28)
    header += b"".join(map(fixed, (0.9642, 1, 0.8249))) + bytes(48)
    body = header + len(tags).to_bytes(4) + table + data
    return len(body).to_bytes(4) + body[4:]


@pytest.fixture(scope="module")
def srgb():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def pixel(red, green, blue):
    return np.array([[[blue, green, red, 0]]], np.uint8)


def test_a_wide_gamut_is_applied():
    converted = colour.to_srgb(pixel(200, 100, 100), "rgb", profile())
    red, green = int(converted[0, 0, 2]), int(converted[0, 0, 1])
    assert red > 205  # the same colour takes more red in the smaller gamut
    assert green < 98


def test_srgb_and_no_profile_change_nothing(srgb):
    pixels = pixel(200, 100, 50)
    assert colour.is_srgb(b"")
    assert colour.is_srgb(srgb)
    assert colour.is_srgb(profile("sRGB IEC61966-2.1"))
    assert not colour.is_srgb(profile("Display P3"))
    assert colour.to_srgb(pixels, "rgb", srgb) is pixels


@pytest.mark.parametrize(
    "damaged", [b"x" * 200, profile()[:150], profile()[:16] + b"CMYK" + profile()[20:], bytes(128)]
)
def test_a_damaged_profile_is_ignored(damaged):
    pixels = pixel(200, 100, 50)
    assert np.array_equal(colour.to_srgb(pixels, "rgb", damaged), pixels)


def test_cmyk_without_a_profile_is_converted_as_pillow_does():
    image = Image.new("CMYK", (2, 3), (10, 200, 30, 40))
    converted = colour.to_srgb(colour.from_picture(image), "cmyk", b"")
    assert colour.as_picture(converted, "rgb").getpixel((0, 0)) == image.convert("RGB").getpixel((0, 0))


def test_grey_stays_grey(srgb):
    pixels = np.array([[1, 2], [3, 4]], np.uint8)
    assert colour.to_srgb(pixels, "grey", profile()) is pixels


def test_pictures_and_pixels_are_the_same(pictures):
    for mode in ("L", "RGB", "CMYK"):
        image = pictures.make(31, 17).convert(mode)
        kind = {"L": "grey", "RGB": "rgb", "CMYK": "cmyk"}[mode]
        back = colour.as_picture(colour.from_picture(image), kind)
        assert back.tobytes() == image.tobytes()
    cut = colour.from_picture(pictures.make(31, 17))[3:9, 5:20]
    assert colour.as_picture(cut, "rgb").size == (15, 6)


def test_luma_is_what_pillow_calls_l(pictures):
    image = pictures.make(40, 30)
    assert np.abs(colour.luma(colour.from_picture(image)) - np.asarray(image.convert("L"), float)).max() < 1
    grey = np.array([[0, 255]], np.uint8)
    assert colour.luma(grey).tolist() == [[0.0, 255.0]]


def test_the_profile_of_this_test_is_one_that_littlecms_reads():
    assert ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile()))).strip() == "wide"
