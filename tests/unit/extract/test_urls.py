import ada_url
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from allmende.extract.urls import base_url, normalise, resolver, split_host
from allmende.schema import Reason

PAGE = "https://www.example.org/a/b.html"


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("c.jpg", "https://www.example.org/a/c.jpg"),
        ("../c.jpg", "https://www.example.org/c.jpg"),
        ("../../../c.jpg", "https://www.example.org/c.jpg"),
        ("./c.jpg", "https://www.example.org/a/c.jpg"),
        ("/c.jpg", "https://www.example.org/c.jpg"),
        ("//cdn.example.org/c.jpg", "https://cdn.example.org/c.jpg"),
        ("\\\\cdn.example.org\\c.jpg", "https://cdn.example.org/c.jpg"),
        ("https:c.jpg", "https://www.example.org/a/c.jpg"),
        ("http:c.jpg", "http://c.jpg/"),
        ("?n=1", "https://www.example.org/a/b.html?n=1"),
        ("HTTP://EXAMPLE.ORG:80/C.jpg", "http://example.org/C.jpg"),
        ("http://example.org:8080/c.jpg", "http://example.org:8080/c.jpg"),
        ("http://example.org", "http://example.org/"),
        (" \n\thttps://example.org/c.\n jpg \x00", "https://example.org/c.%20jpg"),
        ("https://example.org/c.jpg#top", "https://example.org/c.jpg"),
        ("https://example.org/%7e%C3%BC%zz.jpg", "https://example.org/%7e%C3%BC%zz.jpg"),
        ("https://example.org/a/%2e%2E/c.jpg", "https://example.org/c.jpg"),
        ("https://example.org/grün.jpg?n=ü", "https://example.org/gr%C3%BCn.jpg?n=%C3%BC"),
        ("https://grün.example/c.jpg", "https://xn--grn-ioa.example/c.jpg"),
        ("https://example.org/\ud800.jpg", "https://example.org/%EF%BF%BD.jpg"),
        ("http://0x7f.1/c.jpg", "http://127.0.0.1/c.jpg"),
        ("https://user:word@example.org/c.jpg", "https://user:word@example.org/c.jpg"),
        ("https://example.org//a//c.jpg", "https://example.org//a//c.jpg"),
    ],
)
def test_reads_links_as_a_browser_does(link, expected):
    assert normalise(link, PAGE) == expected


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("", Reason.URL_INVALID),
        (" \n", Reason.URL_INVALID),
        ("#top", Reason.URL_INVALID),
        ("https://", Reason.URL_INVALID),
        ("http://[::1", Reason.URL_INVALID),
        ("http://exa mple.org/", Reason.URL_INVALID),
        ("https://example.org:99999/", Reason.URL_INVALID),
        ("data:image/png;base64," + "A" * 5_000_000, Reason.URL_SCHEME),
        (" \x00 DATA:,", Reason.URL_SCHEME),
        ("da\nta:,", Reason.URL_SCHEME),
        ("javascript:void(0)", Reason.URL_SCHEME),
        ("blob:https://example.org/9115d58c", Reason.URL_SCHEME),
        ("file:///etc/passwd", Reason.URL_SCHEME),
        ("about:blank", Reason.URL_SCHEME),
        ("x" * 2_000, Reason.URL_TOO_LONG),
    ],
)
def test_says_why_a_link_is_no_url(link, reason):
    assert normalise(link, PAGE) is reason


def test_without_a_page_only_absolute_urls_count():
    assert normalise("https://example.org/c.jpg", "") == "https://example.org/c.jpg"
    assert normalise("c.jpg", "") is Reason.URL_INVALID


def test_base_element():
    assert base_url(PAGE, "") == PAGE
    assert base_url(PAGE, "/x/") == "https://www.example.org/x/"
    assert base_url(PAGE, "data:,") == PAGE
    assert base_url(PAGE, "//cdn.example.org/y/z") == "https://cdn.example.org/y/z"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://example.org/a", "example.org"),
        ("http://u:p@example.org:8080/@", "example.org"),
        ("http://[::1]/", "[::1]"),
        ("http://[2001:db8::1]:8080/", "[2001:db8::1]"),
    ],
)
def test_split_host(url, host):
    assert split_host(url) == host


calm = settings(deadline=None)

PIECES = st.sampled_from(
    [
        "http:",
        "https:",
        "/",
        "//",
        "a",
        "b-c",
        ".",
        "..",
        "jpg",
        "?",
        "=",
        "%2e",
        "%",
        "xn--",
        "1",
        "0x7f",
        "com",
        "de",
        "example.org",
        ":80",
        ":",
        "@",
        "#",
        "\\",
        "ü",
        "A",
        "^",
        "|",
        "'",
        "~",
        "--",
        "_",
        "[",
        "&",
        "ß",
        " ",
        "\t",
    ]
)
LINKS = st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=40)
BASES = st.lists(PIECES, max_size=8).map(lambda pieces: "https://example.org/" + "".join(pieces))


def browser(link, base):
    """What the library alone says, without the short cuts."""
    try:
        return ada_url.join_url(base, link).partition("#")[0]
    except ValueError:
        return None


@calm
@given(LINKS, BASES)
@example("a", "https://example.org/..")
@example("a", "https://example.org/x/./y")
@example("a//b", "https://a--b.com/")
@example(".", "https://example.org/a/b")
@example("https://a.0x7f/", "https://example.org/")
def test_the_short_cut_changes_nothing(link, base):
    result = normalise(link, base)
    if not isinstance(result, Reason):
        assert result == browser(link.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), base)


@calm
@given(LINKS, BASES, st.integers(10, 60))
def test_resolving_for_a_page_is_the_same(link, base, longest):
    assert resolver(base, longest)(link) == normalise(link, base, longest)


@calm
@given(LINKS, BASES)
def test_normalising_again_changes_nothing(link, base):
    result = normalise(link, base)
    if not isinstance(result, Reason):
        assert normalise(result, "") == result
        assert "#" not in result
        assert "\0" not in result
        assert result.isascii()
        assert split_host(result)
