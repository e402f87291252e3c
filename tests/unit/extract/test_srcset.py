import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.extract.srcset import Candidate, largest, parse_srcset


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.jpg", [("a.jpg", 0, 1.0)]),
        ("a.jpg 1x, b.jpg 2x", [("a.jpg", 0, 1.0), ("b.jpg", 0, 2.0)]),
        ("a.jpg 320w,\n b.jpg 640w", [("a.jpg", 320, 1.0), ("b.jpg", 640, 1.0)]),
        ("a.jpg 320w,b.jpg 640w", [("a.jpg", 320, 1.0), ("b.jpg", 640, 1.0)]),
        ("a.jpg, b.jpg 2x", [("a.jpg", 0, 1.0), ("b.jpg", 0, 2.0)]),
        ("a,b.jpg 2x", [("a,b.jpg", 0, 2.0)]),
        (
            "t/w_300,h_200/a.jpg 300w, t/w_600,h_400/a.jpg 600w",
            [("t/w_300,h_200/a.jpg", 300, 1.0), ("t/w_600,h_400/a.jpg", 600, 1.0)],
        ),
        ("data:image/gif;base64,R0lG 1x, b.jpg 2x", [("data:image/gif;base64,R0lG", 0, 1.0), ("b.jpg", 0, 2.0)]),
        (",, a.jpg 1x,,, b.jpg 2x ,", [("a.jpg", 0, 1.0), ("b.jpg", 0, 2.0)]),
        ("a.jpg 640w 480h", [("a.jpg", 640, 1.0)]),
        ("a.jpg .5x", [("a.jpg", 0, 0.5)]),
        ("a.jpg 1x 2x, b.jpg 0w, c.jpg 10q, d.jpg 480h, e.jpg -1x, f.jpg 320w 2x", []),
        ("a.jpg f(1, 2) , b.jpg 2x", [("b.jpg", 0, 2.0)]),
        ("a.jpg (1x, b.jpg 2x", []),
        ("", []),
        (" , ,", []),
    ],
)
def test_parses_as_the_html_standard_says(text, expected):
    assert list(parse_srcset(text)) == [Candidate(*one) for one in expected]


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("a.jpg 1x, b.jpg 3x, c.jpg 2x", "b.jpg"),
        ("a.jpg 320w, b.jpg 1280w, c.jpg 640w", "b.jpg"),
        ("a.jpg 4x, b.jpg 320w", "b.jpg"),
        ("a.jpg 2x, b.jpg 2x", "a.jpg"),
        ("data:image/png;base64,AA 9x, b.jpg", "b.jpg"),
    ],
)
def test_chooses_the_largest(text, url):
    assert largest(text).url == url


def test_chooses_none_where_all_are_embedded():
    assert largest("data:image/png;base64,AA 2x, blob:https://a.example/1 1x") is None


urls = st.text("abc/.:,()%?=&", min_size=1).filter(lambda url: not url.startswith(",") and not url.endswith(","))
descriptors = st.one_of(st.just(""), st.integers(1, 9999).map("{}w".format), st.integers(1, 9).map("{}x".format))


@given(st.lists(st.tuples(urls, descriptors)))
def test_reads_what_was_written(pairs):
    text = " , ".join(f"{url} {descriptor}" for url, descriptor in pairs)
    assert [one.url for one in parse_srcset(text)] == [url for url, _ in pairs]


@given(st.text() | st.text("a.,() \n\t0123456789wxhe-data:"))
def test_reads_any_text(text):
    for one in parse_srcset(text):
        assert one.url
        assert one.url in text
        assert not set(one.url) & set(" \t\n\f\r")
        assert one.width >= 0
        assert one.density >= 0
