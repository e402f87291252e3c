"""The compiled way to read a WAT record, beside the other: it says the same, or nothing."""

import json
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from allmende.commoncrawl.records import Record
from allmende.commoncrawl.wat import WatRecord, decode, read_wat, read_wat_records
from allmende.extract.page import Link, LinkList, Page
from allmende.extract.wat_images import page_from_wat, pages_from_wat, usual_page
from allmende.extract.wat_record import WatLinks, read_usual
from allmende.schema import Reason
from allmende.testing.archives import Archive, wat_from_warc

calm = settings(deadline=None, max_examples=150)

AWKWARD = st.text(st.sampled_from('"}]{[,:\\/ aAü\n\t\xa0') | st.characters(exclude_categories=["Cs"]), max_size=12)
PIECES = st.sampled_from(
    ['"}]', '"}', '{"path":"IMG@/src"', '"Links":[', "IMG@/src", '"rel":"license"', "\\", "a", "  "]
)
WORDS = st.lists(AWKWARD | PIECES, max_size=4).map("".join)
PARTS = (
    r"http https :// // / www. a-b a.example xn--a . .. ? # % %2e %41 : a Ä 9 @ [::1] _ ' \ data: 127.0.0.1 :80 =&; ~$"
)
ADDRESSES = st.lists(st.sampled_from([*PARTS.split(), " ", "\t", "\x7f", "x" * 40]), max_size=7).map("".join)
META = st.dictionaries(
    st.sampled_from(["name", "property", "http-equiv", "content", "rel"]),
    WORDS
    | ADDRESSES
    | st.sampled_from(["robots", "OG:image", "og:title", "og:image:alt", "tdm-policy", "HTML@/lang", "GPTBot"]),
)
HEAD_LINK = st.fixed_dictionaries(
    {"path": st.just("LINK@/href"), "url": ADDRESSES},
    optional={
        "rel": st.sampled_from(["License", "image_src", "icon", "x license"]),
        "type": st.just("application/rsl+xml"),
    },
)
LINK = st.builds(
    lambda path, rest: {"path": path, **rest},
    st.sampled_from(["IMG@/src", "IMG@/src", "A@/href", "STYLE/#text"]),
    st.fixed_dictionaries(
        {"url": ADDRESSES | WORDS},
        optional={"alt": WORDS, "title": WORDS, "rel": st.sampled_from(["LICENSE", "nofollow License", "x"]) | WORDS},
    ),
)
HEADERS = st.dictionaries(
    st.sampled_from(["Link", "X-Robots-Tag", "x-robots-tag", "Content-Language", "Server"]) | WORDS,
    WORDS | st.lists(WORDS, max_size=2) | st.just('<a>; rel="license"; type="application/rsl+xml"'),
    max_size=3,
)
HEADS = st.fixed_dictionaries(
    {},
    optional={
        "Metas": st.lists(META, max_size=3),
        "Title": WORDS,
        "Link": st.lists(HEAD_LINK, max_size=2),
        "Base": ADDRESSES,
        "Scripts": st.lists(LINK, max_size=1),
    },
)


def told(head, links, headers, url="https://example.org/a/b?c", **more):
    response = {"Response-Message": {"Status": "200"}, "Headers": headers}
    response |= {"HTML-Metadata": {"Head": head, "Links": links, **more}, "Entity-Length": "0"}
    return {
        "Container": {"Filename": "a.warc.gz", "Offset": "7", "Gzip-Metadata": {"Deflate-Length": "9"}},
        "Envelope": {
            "Payload-Metadata": {"HTTP-Response-Metadata": response},
            "WARC-Header-Metadata": {
                "WARC-Type": "response", "WARC-Target-URI": url, "WARC-Date": "2026-10-21T12:00:00Z",
            },
        },
    }  # fmt: skip


def as_json(record):
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def both(text):
    """The page that the compiled way finds, or None; and what the other way says."""
    item = WatRecord(Record(0, len(text), text, 0, len(text)), escaped=False)
    capture = decode(item)
    return usual_page(item, 60), capture if capture is None or isinstance(capture, Reason) else page_from_wat(
        capture, 60
    )


@calm
@given(HEADS, st.lists(LINK, max_size=6), HEADERS)
def test_both_ways_find_the_same(head, links, headers):
    usual, page = both(as_json(told(head, links, headers)))
    assert usual is None or usual == page


@calm
@given(st.lists(st.tuples(ADDRESSES, WORDS), max_size=6))
def test_images_are_hardly_ever_left_to_the_other_way(images):
    links = [{"path": "IMG@/src", "url": url, "alt": words} for url, words in images]
    usual, page = both(as_json(told({"Title": "x"}, links, {})))
    assert usual == page
    assert isinstance(page, Page)


USUAL = as_json(
    told(
        {
            "Metas": [{"name": "robots", "content": "noai"}, {"property": "og:image", "content": "/1.jpg"}],
            "Base": "/d/",
        },
        [
            {"path": "IMG@/src", "url": "a.jpg", "alt": "Ein \u00e4 Rad", "title": 'T\n"}]'},
            {"path": "A@/href", "url": "/l", "text": "x", "rel": "LICENSE"},
            {"path": "IMG@/src", "url": "//a.example/%41/b.jpg?c", "alt": " b  c "},
        ],
        {"Link": "<x>; rel=a", "Content-Language": ["de", "en"]},
    )
)


def test_a_usual_record_is_read_without_the_other_way():
    usual, page = both(USUAL)
    assert usual == page
    assert [link.url for link in page.images] == ["https://example.org/d/a.jpg", "https://a.example/%41/b.jpg?c"]
    assert page.images[0].words == {"alt": "Ein ä Rad", "title": 'T "}]'}
    assert page.facts.license == "https://example.org/l"
    assert (page.facts.robots, page.facts.language) == ("noai", "de")


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
URLS = st.sampled_from([f"https://a.example/{name}" for name in "abcdef"])
LINKS = st.builds(
    Link,
    URLS,
    st.sampled_from(["img", "og:image", "twitter:image", "image_src"]),
    st.dictionaries(st.sampled_from(["alt", "title", "og"]), TEXTS),
)
NAMED = st.tuples(URLS, st.sampled_from(["og:image", "image_src"]), TEXTS | st.just(""))


@calm
@given(st.lists(st.tuples(st.lists(LINKS, max_size=30), st.lists(NAMED, max_size=30)), max_size=4))
def test_links_without_objects_are_those_with(pages):
    pairs = []
    for links, named in pages:
        compiled, python = WatLinks(), LinkList()
        for link in links:
            compiled.append(link)
            python.append(replace(link, words=dict(link.words)))
        assert compiled.add_named(named) == python.add_named(named)
        assert (len(compiled), compiled) == (len(python), python)
        pairs.append((compiled, python))
    made = WatLinks.columns([compiled for compiled, _ in pairs])
    assert made == LinkList.columns([python for _, python in pairs])
    for column in made.values():
        column.validate(full=True)


def test_links_that_no_wat_has():
    links = WatLinks()
    for link in (
        Link("https://a.example/", "source", {"alt": "x"}),
        Link("https://a.example/", "img", {"figcaption": "x"}),
        Link("https://a.example/", "img", {"alt": "x"}, "before"),
    ):
        with pytest.raises((KeyError, ValueError)):
            links.append(link)
    assert len(links) == 0
    with pytest.raises(IndexError):
        links[0]


def test_a_record_without_its_end_is_left_to_the_other_way():
    assert [cut for cut in range(len(USUAL)) if read_usual(USUAL[:cut], 0) is not None] == []


def test_only_usual_records_are_read():
    for more in (b"x", b"{}", b"}"):
        assert read_usual(USUAL + more, 0) is None
    assert read_usual(USUAL + b"\r\n\r\n", 0) is not None
    assert read_usual(b"12345" + USUAL, 5) is not None
    assert read_usual(USUAL, len(USUAL)) is None
    assert read_usual(USUAL, len(USUAL) + 1) is None
    assert read_usual(USUAL, -1) is None
    deep = as_json(told({}, [], {}, more=[])).replace(b'"more":[]', b'"more":' + b"[" * 100_000)
    assert read_usual(deep, 0) is None


@pytest.mark.parametrize("form", ["current", "2019", "2013"])
def test_files_say_the_same_in_both_ways(form):
    archive = Archive("a.warc.gz")
    archive.page("https://example.org/", '<title>x</title><img src="a.jpg" alt="b"><img src="c.jpg" title=" ">')
    archive.page("https://example.org/404", "<title>x</title>", status=404)
    archive.page("https://example.org/plain", "x", content_type="text/plain")
    data = wat_from_warc(archive.to_bytes(), "a.warc.gz", form=form)
    slow = [page_from_wat(capture) for capture in read_wat(BytesIO(data))]
    assert list(pages_from_wat(BytesIO(data))) == slow
    assert [type(item) for item in slow] == [Page, Reason, Reason]
    items = [item for item in read_wat_records(BytesIO(data)) if isinstance(item, WatRecord)]
    assert (usual_page(items[0], 2_000) is not None) == (form == "current")
