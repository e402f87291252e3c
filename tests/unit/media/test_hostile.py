"""Files made to break decoders: each is a Reason, soon, and never an exception."""

import io
import struct
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from allmende.media import image, jpeg, raster
from allmende.media.sample import ImageSample
from allmende.recipe import Images
from allmende.schema import Reason

from .conftest import picture, written

SIZE, MOST = 32, 100_000
OPTIONS = [
    Images(min_bytes=0, min_side=1, max_aspect_ratio=50, max_pixels=MOST, size=SIZE, drop_single_colour=False),
    Images(
        min_bytes=0, min_side=1, max_aspect_ratio=50, max_pixels=MOST, size=SIZE, mode="border", only_if_bigger=False
    ),
    Images(min_bytes=0, min_side=1, max_aspect_ratio=50, max_pixels=MOST, mode="no", skip_reencode=True),
]


def chunk(name, data):
    return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)


def png(width, height, data, colour=2, depth=8):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def small_files():
    """A small file of each kind there is."""
    plain = picture(60, 45)
    clear = plain.convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(plain.size))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x829A] = 0.01
    moving = {"save_all": True, "append_images": [plain.rotate(90)]}
    kinds = [
        (plain, "JPEG", {"exif": exif}),
        (plain, "JPEG", {"progressive": True}),
        (plain.convert("L"), "JPEG", {}),
        (plain.convert("CMYK"), "JPEG", {}),
        (plain, "PNG", {"exif": exif}),
        (clear, "PNG", {}),
        (plain.convert("P"), "PNG", {"transparency": 3}),
        (plain, "WEBP", {"exif": exif}),
        (clear, "WEBP", {"lossless": True}),
        (plain, "WEBP", moving),
        (plain, "GIF", moving),
        (plain, "AVIF", {"exif": exif, "speed": 10}),
        (clear, "AVIF", {"speed": 10}),
        (plain, "BMP", {}),
        (plain.convert("P"), "BMP", {}),
        (plain, "TIFF", {"exif": exif}),
        (plain, "TIFF", {"compression": "tiff_lzw"}),
        (plain, "TIFF", {"compression": "jpeg"}),
        (plain.convert("1"), "TIFF", {"compression": "group4"}),
        (plain.convert("F"), "TIFF", {}),
    ]
    return [written(image, format, **settings) for image, format, settings in kinds]


FILES = small_files()


def check(body, options):
    """Process and verify what holds for every input."""
    outcome = image.process(body, options)
    if isinstance(outcome, Reason):
        return outcome
    assert outcome.original_width * outcome.original_height <= MOST
    if options.mode != "no":
        assert min(outcome.width, outcome.height) <= SIZE
    with Image.open(io.BytesIO(outcome.data)) as stored:
        stored.load()
        assert stored.size == (outcome.width, outcome.height)
    return outcome


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.sampled_from(FILES),
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), min_size=1, max_size=8),
    st.sampled_from(OPTIONS),
)
def test_overwritten_bytes(body, changes, options):
    damaged = bytearray(body)
    for place, noise in changes:
        at = int(place**3 * len(body))  # more often near the beginning, where headers are
        damaged[at : at + len(noise)] = noise
    check(bytes(damaged), options)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(FILES), st.floats(0, 1), st.floats(0, 1), st.binary(max_size=40), st.sampled_from(OPTIONS))
def test_bytes_taken_out_and_put_in(body, begin, length, inserted, options):
    at = int(begin * len(body))
    check(body[:at] + inserted + body[at + int(length**4 * len(body)) :], options)


@given(st.sampled_from([body[:24] for body in FILES]), st.binary(max_size=200))
def test_headers_with_noise_behind(head, noise):
    check(head + noise, OPTIONS[0])


@pytest.mark.parametrize("body", FILES, ids=range(len(FILES)))
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_file_cut_short_is_no_sample(body, share):
    first_frame = len(body) if b"GIF8" not in body[:4] and b"ANIM" not in body else len(body) // 2
    assert isinstance(check(body[: int(share * first_frame)], OPTIONS[0]), Reason)


def test_only_the_end_marker_is_missing(pictures):
    body = written(picture(60, 45), "JPEG")
    for cut in (1, 2):
        assert isinstance(check(body[:-cut], OPTIONS[0]), ImageSample)
    assert check(body[:-9], OPTIONS[0]) is Reason.IMAGE_UNDECODABLE


def test_stray_bytes_between_segments_are_no_damage():
    body = written(picture(60, 45), "JPEG")
    stray = body[:20] + b"\0\0\0" + body[20:]
    assert check(stray, OPTIONS[0]).phash == check(body, OPTIONS[0]).phash
    damaged = body[:-200] + body[-100:]
    assert check(damaged, OPTIONS[0]) is Reason.IMAGE_UNDECODABLE


def test_a_png_bomb_is_not_decoded():
    bomb = png(30_000, 30_000, zlib.compress(bytes(1_000_000)))
    assert image.process(bomb, Images(min_bytes=0)) is Reason.IMAGE_LARGE


@pytest.mark.parametrize(
    "body",
    [
        b"GIF89a\xff\xff\xff\xff\0\0\0",
        b"BM" + bytes(12) + struct.pack("<Iii", 40, 60_000, -60_000),
        b"RIFF\xff\xff\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff\xff\xff" * 2,
        b"\xff\xd8\xff\xc0\0\x11\x08\xff\xff\xff\xff\3" + bytes(9),
        b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + b"\0\0\0\x14ispe\0\0\0\0\0\1\0\0\0\1\0\0",
        b"II*\0\x08\0\0\0\2\0" + struct.pack("<HHIIHHII", 256, 4, 1, 90_000, 257, 4, 1, 90_000),
    ],
    ids=["gif", "bmp", "webp", "jpeg", "avif", "tiff"],
)
def test_a_huge_size_in_the_header_is_enough(body):
    assert image.process(body + bytes(100), Images(min_bytes=0, max_aspect_ratio=2)) is Reason.IMAGE_LARGE


def test_a_gif_frame_larger_than_its_screen_counts():
    body = bytearray(written(Image.new("L", (200, 200), 7), "GIF"))
    at = body.index(b"\x2c")
    body[at + 5 : at + 9] = struct.pack("<HH", 60_000, 60_000)
    assert check(bytes(body), OPTIONS[0]) is Reason.IMAGE_LARGE


def test_sizes_of_zero():
    jpeg_body = written(picture(60, 45), "JPEG")
    at = next(s.start for s in jpeg.segments(jpeg_body) if s.marker in jpeg.SOF_MARKERS)
    for body in (
        png(0, 0, b""),
        png(0, 10, zlib.compress(b"")),
        jpeg_body[: at + 5] + bytes(4) + jpeg_body[at + 9 :],
        b"GIF89a" + bytes(200),
        b"BM" + bytes(200),
    ):
        assert image.process(body, OPTIONS[0]) is Reason.IMAGE_UNDECODABLE


def test_a_jpeg_whose_frame_claims_another_size():
    body = written(picture(60, 45), "JPEG")
    at = next(s.start for s in jpeg.segments(body) if s.marker in jpeg.SOF_MARKERS)
    for height, width in ((45, 300), (300, 60), (300, 300)):
        damaged = body[: at + 5] + height.to_bytes(2) + width.to_bytes(2) + body[at + 9 :]
        assert check(damaged, OPTIONS[0]) is Reason.IMAGE_UNDECODABLE


def test_a_progressive_jpeg_of_thousands_of_scans():
    body = written(picture(600, 450), "JPEG", progressive=True)
    scans = [s for s in jpeg.segments(body) if s.marker == jpeg.SOS]
    last = body[scans[-1].start : scans[-1].end]
    bomb = body[:-2] + last * 2_000 + body[-2:]
    limit = Images(min_bytes=0, max_pixels=1_000_000)
    assert isinstance(image.process(body, limit), ImageSample)
    assert image.process(bomb, limit) is Reason.IMAGE_LARGE
    assert jpeg.scans(bomb) > 2_000
    assert raster.SCAN_PIXELS * limit.max_pixels < jpeg.scans(bomb) * 600 * 450


def test_what_stands_behind_the_image_does_not_matter():
    """Polyglots: the first bytes choose the decoder, and nothing else of the file is stored."""
    page = b"<html><script>alert(1)</script></html>"
    archive = b"PK\3\4" + bytes(300)
    for body in FILES[:10]:
        plain, with_page = check(body, OPTIONS[2]), check(body + page + archive, OPTIONS[2])
        assert isinstance(with_page, ImageSample)
        assert with_page.phash == plain.phash
        assert b"<html>" not in with_page.data
        assert b"PK\3\4" not in with_page.data


def test_one_format_in_the_coat_of_another():
    gif = written(picture(60, 45), "GIF")
    assert check(b"\x89PNG\r\n\x1a\n" + gif, OPTIONS[0]) is Reason.IMAGE_UNDECODABLE
    assert check(b"\xff\xd8\xff" + gif, OPTIONS[0]) is Reason.IMAGE_UNDECODABLE
    assert check(b"BM" + gif, OPTIONS[0]) in {Reason.IMAGE_UNDECODABLE, Reason.IMAGE_LARGE, Reason.IMAGE_ASPECT_RATIO}


def test_a_zip_bomb_in_a_profile_or_text(pictures):
    bomb = zlib.compress(bytes(50_000_000), 9)
    for name, data in ((b"iCCP", b"x\0\0" + bomb), (b"zTXt", b"x\0\0" + bomb), (b"iTXt", b"x\0\1\0\0\0" + bomb)):
        plain = FILES[5]
        check(plain[:33] + chunk(name, data) + plain[33:], OPTIONS[0])


def test_memory_that_can_not_be_had(monkeypatch):
    def exhausted(*_args):
        raise MemoryError

    monkeypatch.setattr(raster, "decode", exhausted)
    assert image.process(FILES[0], OPTIONS[0]) is Reason.DECODER_CRASHED
