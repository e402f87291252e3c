import io

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from allmende.publish.gallery import BUDGET, SIDE, gallery, thumbnail
from allmende.testing.samples import picture, sample


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_thumbnails_are_small_jpegs_of_any_format():
    for image_format in ("JPEG", "PNG", "WEBP", "AVIF"):
        small = opened(thumbnail(picture(1, 900, 600, image_format)))
        assert (small.format, small.size) == ("JPEG", (SIDE, SIDE * 2 // 3))


def test_transparent_images_stand_on_white():
    buffer = io.BytesIO()
    Image.new("RGBA", (20, 20), (255, 0, 0, 0)).save(buffer, "PNG")
    assert min(opened(thumbnail(buffer.getvalue())).getpixel((10, 10))) > 250


@given(st.binary(max_size=200), st.integers(0, 900))
def test_broken_images_are_passed_over(noise, cut):
    assert thumbnail(noise) is None or noise
    thumbnail(picture(1)[:cut] + noise)


def test_a_gallery_is_bounded_in_number_and_bytes():
    rows = [sample(seed) for seed in range(100)]
    assert len(gallery(rows, limit=7)) == 7
    noisy = Image.effect_noise((SIDE, SIDE), 200)
    buffer = io.BytesIO()
    noisy.save(buffer, "PNG")
    pictures = gallery([(rows[0][0], buffer.getvalue())] * 400, limit=400)
    assert 0 < sum(len(one.jpeg) for one in pictures) <= BUDGET


def test_only_web_pages_are_linked_and_long_captions_are_cut():
    row, image = sample(0, page_url="javascript:alert(1)", caption="x" * 1000)
    (one,) = gallery([(row, image)])
    assert one.page_url == ""
    assert len(one.caption) == 301


def test_rows_with_nothing_known_are_shown():
    (one,) = gallery([({}, picture(0))])
    assert (one.caption, one.language, one.page_url) == ("", "", "")
