"""Bytes in, a sample or a Reason out."""

import hashlib
import io
import json

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from allmende.media import image
from allmende.media.sample import ImageSample
from allmende.recipe import Images
from allmende.schema import IMAGE_FACTS, Reason

ANY = Images(min_bytes=0, min_side=0, max_aspect_ratio=1_000, drop_single_colour=False)


def options(**changes):
    return Images(**{"min_bytes": 0, "min_side": 0, "max_aspect_ratio": 1_000, "drop_single_colour": False} | changes)


def stored(sample):
    return Image.open(io.BytesIO(sample.data))


def test_a_sample_has_the_columns_of_the_schema():
    assert set(ImageSample.__struct_fields__) - {"data", "signals", "md5", "sha1"} == set(IMAGE_FACTS.names)


def test_further_digests_are_made_on_request(files):
    body = files["png"][0]
    plain = image.process(body, ANY)
    asked = image.process(body, ANY, ("md5", "sha1"))
    assert (plain.md5, plain.sha1) == (None, None)
    assert (asked.md5, asked.sha1) == (hashlib.md5(body).hexdigest(), hashlib.sha1(body).hexdigest())
    assert image.process(body, ANY, ("sha1",)).md5 is None


def test_every_format_is_read(pictures, files):
    for name, (body, kind, width, height) in files.items():
        sample = image.process(body, options(size=120))
        assert isinstance(sample, ImageSample), name
        assert (sample.original_format, sample.original_width, sample.original_height) == (kind, width, height)
        assert sample.original_bytes == len(body)
        assert sample.sha256 == hashlib.sha256(body).hexdigest()
        assert (sample.format, min(sample.width, sample.height)) == ("jpg", 120)
        expected = pictures.make(width, height).resize((sample.width, sample.height), Image.Resampling.BOX)
        assert pictures.psnr(pictures.open(sample.data), np.asarray(expected)) > 26, name
        assert stored(sample).size == (sample.width, sample.height)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"min_bytes": 100_000_000}, Reason.IMAGE_FEW_BYTES),
        ({"min_side": 481}, Reason.IMAGE_SMALL),
        ({"max_pixels": 640 * 480 - 1}, Reason.IMAGE_LARGE),
        ({"max_aspect_ratio": 1.3}, Reason.IMAGE_ASPECT_RATIO),
    ],
)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP", "TIFF"])
def test_rules_have_their_reasons(pictures, format, changes, reason):
    body = pictures.write(pictures.make(640, 480), format)
    assert image.process(body, options(**changes)) is reason
    assert isinstance(image.process(body, options(min_side=480, max_pixels=640 * 480)), ImageSample)


def test_what_is_no_image():
    assert image.process(b"<html>", ANY) is Reason.IMAGE_FORMAT
    assert image.process(b"", ANY) is Reason.IMAGE_FORMAT
    assert image.process(b"\xff\xd8\xff\xe0" + bytes(10_000), Images()) is Reason.IMAGE_UNDECODABLE
    assert image.process(b"<html>" * 10, Images()) is Reason.IMAGE_FORMAT
    assert image.process(b"GIF89a", Images()) is Reason.IMAGE_FEW_BYTES


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "BMP"])
def test_single_colours_are_dropped(pictures, format):
    flat = Image.new("RGB", (300, 200), (200, 30, 90))
    body = pictures.write(flat, format)
    assert image.process(body, options(drop_single_colour=True)) is Reason.IMAGE_SINGLE_COLOUR
    assert isinstance(image.process(body, ANY), ImageSample)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_thin_line_or_a_tint_is_content(pictures, mode):
    line = Image.new(mode, (600, 400), "white")
    line.paste("black", (300, 0, 304, 400))
    assert isinstance(image.process(pictures.write(line, "PNG"), options(drop_single_colour=True)), ImageSample)
    dot = Image.new(mode, (600, 400), "white")
    dot.paste("black", (300, 100, 303, 103))
    assert isinstance(image.process(pictures.write(dot, "PNG"), options(drop_single_colour=True)), ImageSample)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_orientation_is_applied(pictures, format, orientation):
    upright = pictures.make(400, 300)
    exif = Image.Exif()
    exif[0x0112] = orientation
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose that gives the stored rows
    turned = upright.transpose(undo[orientation]) if orientation > 1 else upright
    sample = image.process(pictures.write(turned, format, exif=exif), options(size=150))
    assert (sample.original_width, sample.original_height, sample.width, sample.height) == (400, 300, 200, 150)
    expected = upright.resize((200, 150), Image.Resampling.BOX)
    assert pictures.psnr(pictures.open(sample.data), np.asarray(expected)) > 28


def test_kept_facts_and_no_metadata_in_the_file(pictures):
    exif = Image.Exif()
    exif[0x0110] = "M11"
    exif.get_ifd(0x8825)[1] = "N"
    for format in ("JPEG", "PNG", "WEBP", "AVIF", "TIFF"):
        body = pictures.write(pictures.make(400, 300), format, exif=exif)
        for form in ("jpg", "png", "webp", "avif"):
            sample = image.process(body, options(size=150, format=form, quality=9))
            assert json.loads(sample.exif) == {"model": "M11"}
            assert not stored(sample).info.keys() & {"exif", "icc_profile", "xmp", "comment"}
    assert image.process(pictures.write(pictures.make(40, 30), "GIF"), ANY).exif == "{}"


def test_transparent_parts_are_white(pictures):
    clear = pictures.make(200, 150).convert("RGBA")
    clear.putalpha(Image.new("L", (200, 150), 0))
    clear.paste((0, 0, 200, 255), (50, 50, 150, 100))
    palette = clear.convert("RGB").convert("P")
    palette.info["transparency"] = palette.getpixel((0, 0))
    half = Image.new("LA", (200, 150), (0, 128))
    cases = [(clear, "PNG"), (clear, "WEBP"), (clear, "AVIF"), (clear, "TIFF"), (clear, "GIF")]
    for picture, format in cases:
        pixels = pictures.open(image.process(pictures.write(picture, format), options(format="png", quality=1)).data)
        assert (pixels[:40] > 250).all(), format
        assert (np.abs(pixels[75, 100].astype(int) - (0, 0, 200)) < 12).all(), format
    grey = pictures.open(image.process(pictures.write(half, "PNG"), options(format="png", quality=1)).data)
    assert np.unique(grey).tolist() == [127]


def test_alpha_is_matted_as_img2dataset_does(pictures):
    clear = pictures.make(200, 150).convert("RGBA")
    clear.putalpha(Image.radial_gradient("L").resize((200, 150)))
    ours = pictures.open(image.process(pictures.write(clear, "PNG"), options(format="png", quality=1)).data)
    rgba = np.asarray(clear).astype(float)
    alpha = rgba[:, :, 3:]
    theirs = np.rint((alpha / 255 * rgba[:, :, :3] + 255 - alpha).clip(0, 255))
    assert np.abs(ours - theirs).max() <= 1


def test_sixteen_bits_grey_palette_and_one_bit(pictures):
    picture = pictures.make(200, 150)
    grey = picture.convert("L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    png = options(format="png", quality=1)
    for format in ("PNG", "TIFF"):
        assert np.array_equal(pictures.open(image.process(pictures.write(deep, format), png).data)[..., 0], grey)
    _, colour16 = cv2.imencode(".png", cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2BGR).astype(np.uint16) * 257)
    assert np.array_equal(pictures.open(image.process(colour16.tobytes(), png).data), picture)
    few = picture.convert("P", palette=Image.Palette.ADAPTIVE)
    assert np.array_equal(pictures.open(image.process(pictures.write(few, "PNG"), png).data), few.convert("RGB"))
    black = picture.convert("1")
    for format in ("PNG", "BMP", "TIFF", "GIF"):
        assert np.array_equal(
            pictures.open(image.process(pictures.write(black, format), png).data), black.convert("RGB")
        )
    assert stored(image.process(pictures.write(grey, "JPEG"), ANY)).mode == "L"


def test_cmyk_and_ycck(pictures):
    picture = pictures.make(400, 300)
    body = pictures.write(picture.convert("CMYK"), "JPEG", quality=95)
    sample = image.process(body, options(size=150))
    expected = picture.resize((200, 150), Image.Resampling.BOX)
    assert pictures.psnr(pictures.open(sample.data), np.asarray(expected)) > 26
    tiff = image.process(pictures.write(picture.convert("CMYK"), "TIFF"), options(size=150))
    assert pictures.psnr(pictures.open(tiff.data), np.asarray(expected)) > 26


def test_numbers_without_a_defined_white_are_refused(pictures):
    body = pictures.write(pictures.make(100, 80).convert("F"), "TIFF")
    assert image.process(body, ANY) is Reason.IMAGE_UNDECODABLE


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "AVIF"])
def test_the_first_frame_of_an_animation(pictures, format):
    first, second = pictures.make(200, 150), Image.new("RGB", (200, 150), "red")
    body = pictures.write(first, format, save_all=True, append_images=[second])
    sample = image.process(body, options(format="png", quality=1, skip_reencode=True))
    assert pictures.psnr(pictures.open(sample.data), np.asarray(first)) > 25


def test_a_jpeg_decoded_smaller_is_as_good(pictures):
    """At a half, a quarter and an eighth, in all samplings; the sides are no multiple of anything."""
    picture = pictures.make(1283, 965)
    for subsampling in (0, 1, 2):
        body = pictures.write(picture, "JPEG", quality=95, subsampling=subsampling)
        pixels = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
        for size in (64, 128, 256):
            sample = image.process(body, options(size=size, format="png", quality=1))
            area = cv2.resize(pixels, (sample.width, sample.height), interpolation=cv2.INTER_AREA)
            assert pictures.psnr(pictures.open(sample.data), area) > 36


def test_hash_and_preview_are_of_the_whole_upright_image(pictures):
    picture = pictures.make(640, 480)
    plain = image.process(pictures.write(picture, "PNG"), options(size=200))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = image.process(pictures.write(picture.transpose(2), "PNG", exif=exif), options(size=200))
    cut = image.process(pictures.write(picture, "PNG"), options(size=200, mode="center_crop"))
    padded = image.process(pictures.write(picture, "PNG"), options(size=267, mode="border"))
    assert plain.phash_quality > 50
    for other in (turned, cut, padded):
        assert (int(plain.phash, 16) ^ int(other.phash, 16)).bit_count() <= 10
        assert other.preview[:6] == plain.preview[:6]


def test_skipping_the_encoder_keeps_the_coded_pixels(pictures):
    exif = Image.Exif()
    exif[0x0110] = "M11"
    for format, form in (("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp")):
        body = pictures.write(pictures.make(200, 150), format, exif=exif, quality=60)
        sample = image.process(body, options(format=form, quality=9, skip_reencode=True))
        assert np.array_equal(pictures.open(sample.data), pictures.open(body))
        assert b"M11" not in sample.data
        assert len(sample.data) < len(body)
        assert sample.sha256 == hashlib.sha256(body).hexdigest()


def test_the_encoder_is_not_skipped_where_pixels_change(pictures):
    picture = pictures.make(200, 150)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = image.process(pictures.write(picture, "JPEG", exif=exif), options(skip_reencode=True))
    assert stored(turned).size == (150, 200)
    wide = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for body in (
        pictures.write(picture, "JPEG", quality=30, icc_profile=wide),
        pictures.write(picture.convert("CMYK"), "JPEG", quality=30),
        pictures.write(picture, "PNG"),
        pictures.write(pictures.make(600, 450), "JPEG", quality=30),
    ):
        encoded = image.process(body, options(skip_reencode=True)).data
        assert encoded == image.process(body, options()).data


def test_the_same_file_gives_the_same_sample(files):
    for body, _kind, _width, _height in files.values():
        assert image.process(body, ANY) == image.process(body, ANY)
