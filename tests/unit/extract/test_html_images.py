import io
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from allmende.commoncrawl.warc import WarcCapture, is_image, read_warc
from allmende.commoncrawl.wat import read_wat
from allmende.extract.charset import decode_page
from allmende.extract.html_images import page_from_html
from allmende.extract.nesting import MAX_DEPTH, MAX_UNCHECKED, flattened
from allmende.extract.page import Page
from allmende.extract.wat_images import page_from_wat
from allmende.schema import Reason
from allmende.testing.archives import Archive, wat_from_warc

URL = "https://a.example/b/page.html"
HTML = {"Content-Type": "text/html; charset=utf-8"}


def read(html, headers=HTML, url=URL, **options):
    body = html if isinstance(html, bytes) else html.encode()
    return page_from_html(WarcCapture(url, "2026-10-21T12:00:00Z", "200", headers, body, 7, 9), "x.warc.gz", **options)


def images(html):
    """(URL below the page's folder, where, words) of each image."""
    return [(link.url.removeprefix("https://a.example/b/"), link.found_in, link.words) for link in read(html).images]


def one(html):
    (found,) = images(html)
    return found


A = {"alt": "A"}


@pytest.mark.parametrize(
    ("html", "url", "found_in"),
    [
        ("<img src=a.jpg alt=A>", "a.jpg", "img"),
        ("<img src=a.jpg srcset='b.jpg 640w, c.jpg 1280w' alt=A>", "c.jpg", "srcset"),
        ("<img src=a.jpg srcset='a.jpg 1x, c.jpg 2x' alt=A>", "c.jpg", "srcset"),
        ("<img src=a.jpg srcset='b.jpg' alt=A>", "a.jpg", "img"),
        ("<img src=a.jpg srcset='a.jpg 800w, c.jpg 300w' alt=A>", "a.jpg", "img"),
        ("<img srcset='b.jpg' alt=A>", "b.jpg", "srcset"),
        ("<img src=a.jpg srcset='http:// 2x' alt=A>", "a.jpg", "img"),
        ("<picture><source srcset='b.webp 900w' type=image/webp><img src=a.jpg alt=A></picture>", "b.webp", "picture"),
        ("<picture><source srcset=b.webp type=image/webp><img src=a.jpg alt=A></picture>", "a.jpg", "img"),
        ("<img src=a.jpg srcset='b.svg 3000w, c.jpg 500w' alt=A>", "c.jpg", "srcset"),
        ("<img src=a.jpg srcset='b.PDF?c.jpg 3000w, d.svgz#e.jpg 500w' alt=A>", "a.jpg", "img"),
        ("<img src=a.svg srcset='b.jpg' alt=A>", "b.jpg", "srcset"),
        ("<img src=a.svg srcset='b.svg 2x' alt=A>", "a.svg", "img"),
        ("<img src=a.jpg srcset='b.svg/c 2x' alt=A>", "b.svg/c", "srcset"),
        ("<img src=a.jpg srcset='b.php?c=d.svg 2x' alt=A>", "b.php?c=d.svg", "srcset"),
        ("<picture><source srcset='b.svg 2x'><img src=a.jpg alt=A></picture>", "a.jpg", "img"),
        ("<picture><source srcset='b.tif 2x' type=image/tiff><img src=a.jpg alt=A></picture>", "b.tif", "picture"),
        ("<picture><source srcset='b.svg 2x' type=image/svg+xml><img src=a.jpg alt=A></picture>", "a.jpg", "img"),
        (
            "<picture><source srcset='b.jpg 300w'><source srcset='c.jpg 900w'><img src=a alt=A></picture>",
            "c.jpg",
            "picture",
        ),
        ("<img src=data:image/gif;base64,R0 data-src=b.jpg alt=A>", "b.jpg", "lazy"),
        ("<img src=blank.gif data-original=b.jpg alt=A>", "b.jpg", "lazy"),
        ("<img data-lazy-src=/b/b.jpg alt=A>", "b.jpg", "lazy"),
        ("<img src=a.jpg data-src=a.jpg alt=A>", "a.jpg", "img"),
        ("<img src=x.gif data-src=b.jpg data-srcset='c.jpg 300w, d.jpg 600w' alt=A>", "d.jpg", "lazy"),
        ("<img src=x.gif data-lazy-srcset='c.jpg 2x' alt=A>", "c.jpg", "lazy"),
        ("<img src=a.jpg data-src='b_{width}x.jpg' data-lazy=true data-original='[1]' alt=A>", "a.jpg", "img"),
        ("<picture><source data-srcset='c.jpg 9w'><img src=data:, alt=A></picture>", "c.jpg", "lazy"),
        ("<p><noscript><img src=a.jpg alt=A></noscript>", "a.jpg", "noscript"),
        ("<img src=x.gif data-src=a.jpg alt=A><noscript><img src=a.jpg alt=A></noscript>", "a.jpg", "lazy"),
        (
            "<p><noscript><img src=a.jpg alt=A></noscript><img data-src=a.jpg data-srcset='b.jpg 9w' alt=A>",
            "b.jpg",
            "lazy",
        ),
        ("<base href=/c/><base href=/d/><img src=../b/a.jpg alt=A>", "a.jpg", "img"),
    ],
)
def test_one_element_gives_one_link_to_its_best_image(html, url, found_in):
    assert one(html) == (url, found_in, A)


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<img src=a.jpg alt=' A \n b ' title=T aria-label=L>", {"alt": "A b", "title": "T", "aria_label": "L"}),
        (
            "<figure><div><img src=a.jpg></div><div><figcaption>A <b>b</b>\nc</figcaption></div></figure>",
            {"figcaption": "A b c"},
        ),
        ("<figure><figcaption>Out</figcaption><figure><img src=a.jpg alt=A></figure></figure>", A),
        (
            "<figure><img src=a.jpg><figcaption>C<script>x</script><style>y</style></figcaption></figure>",
            {"figcaption": "C"},
        ),
        ("<a href=x.html><img src=a.jpg> Go</a>", {"link_text": "Go"}),
        ("<a href=x.html title=T><img src=a.jpg></a>", {"link_text": "T"}),
        ("<a href=x.html><div>One</div><div><img src=a.jpg>Two</div></a>", {"link_text": "One Two"}),
    ],
)
def test_keeps_words_apart_by_their_source(html, words):
    assert one(html) == ("a.jpg", "img", words)


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<a href=a.JPG?w=1#x>Text</a>", {"link_text": "Text"}),
        ("<a href=a.JPG?w=1 title=T></a>", {"link_text": "T"}),
        ("<figure><a href=a.JPG?w=1></a><figcaption>C</figcaption></figure>", {"figcaption": "C"}),
    ],
)
def test_links_to_image_files(html, words):
    assert one(html) == ("a.JPG?w=1", "a", words)


def test_a_link_around_a_smaller_image_is_described_by_it():
    assert images("<a href=big.jpg><img src=small.jpg alt=A></a>") == [
        ("big.jpg", "a", {"link_text": "A"}),
        ("small.jpg", "img", A),
    ]


def test_a_link_to_an_image_that_is_shown_is_no_second_one():
    assert images("<img src=a.jpg alt=A> <a href=a.jpg>Text</a>") == [("a.jpg", "img", A | {"link_text": "Text"})]


@pytest.mark.parametrize("href", ["a.html", "/wiki/File:A.jpg", ".jpg", "a.svg", "a.jpg/", "#a.jpg", "jpg", "?a.jpg"])
def test_other_links_are_no_images(href):
    assert images(f"<a href='{href}'>Text</a>") == []


@pytest.mark.parametrize(
    "html",
    [
        "<template><img src=a.jpg alt=A></template>",
        "<!-- <img src=a.jpg alt=A> -->",
        "<img alt=A>",
        "<img src='' alt=A>",
        "<style>p{background:url(a.jpg)}</style>",
    ],
)
def test_what_no_browser_shows_is_no_image(html):
    assert images(html) == []


def test_counts_what_is_no_candidate():
    page = read(
        "<img src=a.jpg><img src=b alt=' '><img src=data:, alt=A><img src=http:// alt=A><img src=c%s alt=A>"
        % ("x" * 3000)
    )
    assert page.images == []
    assert page.dropped == {Reason.NO_CAPTION: 2, Reason.URL_SCHEME: 1, Reason.URL_INVALID: 1, Reason.URL_TOO_LONG: 1}


def test_takes_the_images_of_the_head():
    html = "<meta property=og:image content=o.jpg><meta property=og:title content=T><link rel=image_src href=l.jpg>"
    assert images(html) == [("o.jpg", "og:image", {"og": "T"}), ("l.jpg", "image_src", {"og": "T"})]


LD = '<script type="application/ld+json">%s</script>'


@pytest.mark.parametrize(
    "json",
    [
        '{"@type": "ImageObject", "contentUrl": "j.jpg", "caption": "A  b"}',
        '[{"@type": ["Thing", "schema:ImageObject"], "url": "j.jpg", "name": "A b"}]',
        '{"@graph": [{"@type": "Article", "image": {"url": "j.jpg", "description": "A b"}}]}',
        '{"image": [{"url": ["j.jpg"], "caption": {"@value": "A b"}}]}',
        '<!-- {"@type": "https://schema.org/ImageObject", "contentUrl": "j.jpg", "name": "A\nb"}; -->',
        '{"@type": "ImageObject", "contentUrl": "j.jpg", "caption": "A&#32;b"}',
        '{"@type": "ImageObject", "contentUrl": "j.jpg", "caption": {"text": "A b"}}',
    ],
)
def test_takes_the_images_of_json_ld(json):
    assert one(LD % json) == ("j.jpg", "json-ld", {"json_ld": "A b"})


def test_json_ld_adds_words_to_an_image_of_the_page():
    html = "<img src=a.jpg alt=A>" + LD % '{"@type": "ImageObject", "contentUrl": "a.jpg", "name": "N"}'
    assert one(html) == ("a.jpg", "img", A | {"json_ld": "N"})


@pytest.mark.parametrize(
    "json",
    [
        "",
        "{",
        "[" * 100_000,
        '{"a":' * 100_000,
        "null",
        '{"@type": 1, "image": {"url": 2}}',
        '{"@type":"ImageObject","name":"x"}',
    ],
)
def test_json_ld_that_is_no_use_is_left_alone(json):
    assert images(LD % json) == []


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<link rel=license href=/cc><a rel=license href=/x>", "https://a.example/cc"),
        ("<a rel='nofollow license' href=/cc>", "https://a.example/cc"),
        ("<p itemscope><a itemprop=license href=/cc>", "https://a.example/cc"),
        ("<p itemscope itemtype=https://schema.org/ImageObject><a itemprop=license href=/cc>", None),
        (LD % '{"@type": "WebPage", "license": "/cc"}', "https://a.example/cc"),
        (LD % '{"@type": "WebPage", "license": {"@id": "/cc"}}', "https://a.example/cc"),
        (LD % '{"@type": "ImageObject", "license": "/cc"}', None),
    ],
)
def test_reads_the_licence_of_the_page(html, expected):
    assert read(html).facts.license == expected


def test_a_licence_may_be_a_name():
    facts = read(LD % '{"@type": "WebPage", "license": "CC BY-SA 4.0"}').facts
    assert facts.license == "CC BY-SA 4.0"


def test_reads_licences_for_machines():
    html = """<meta name=GPTBot content=noai><link rel=license type=application/rsl+xml href=/a.xml>
    <script type="application/rsl+xml; charset=utf-8">
      <rsl xmlns="https://rslstandard.org/rsl"><content url="">x</content></rsl>
    </script><script type=application/rsl+xml>%s</script>""" % ("y" * 20_000)
    facts = read(
        html, HTML | {"link": "</b.xml>; rel=license; type=application/rsl+xml", "content-usage": "train-ai=n"}
    ).facts
    urls, xml, cut = facts.rsl.split("\n")[:2], *facts.rsl.split("\n")[2:]
    assert urls == ["https://a.example/b.xml", "https://a.example/a.xml"]
    assert xml == '<rsl xmlns="https://rslstandard.org/rsl"><content url="">x</content></rsl>'
    assert cut == "y" * 10_000
    assert (facts.robots, facts.content_usage, facts.license) == ("gptbot: noai", "train-ai=n", None)


def test_reads_the_facts_of_the_page():
    page = read(
        "<html lang=de><meta name=robots content=noai><meta name=tdm-reservation content=1>",
        HTML | {"X-Robots-Tag": ["a", "b"], "tdm-policy": "/p"},
    )
    facts = page.facts
    assert (facts.language, facts.robots, facts.x_robots_tag) == ("de", "noai", "a\nb")
    assert (facts.tdm_reservation, facts.tdm_policy) == ("1", "/p")
    assert (page.url, page.warc_file, page.warc_offset, page.warc_length) == (URL, "x.warc.gz", 7, 9)
    assert page.captured_at.isoformat() == "2026-10-21T12:00:00+00:00"


@pytest.mark.parametrize(
    ("html", "before", "after"),
    [
        ("<p>One two</p><img src=a alt=A><p>three", "One two", "three"),
        ("one<b>two</b> <img src=a alt=A>th<i>ree</i>", "onetwo", "three"),
        ("<div>one</div>two<div><p>x</p></div><i>y</i><img src=a alt=A>", "one two x y", ""),
        (
            "<title>no</title><script>no</script>yes<style>no</style><img src=a alt=A><noscript>no</noscript>yes",
            "yes",
            "yes",
        ),
        ("<template>no</template><textarea>no</textarea><img src=a alt=A><iframe>no</iframe><!-- no -->", "", ""),
        ("one<script></script>two<img src=a alt=A>", "onetwo", ""),
    ],
)
def test_keeps_the_visible_text_around(html, before, after):
    (link,) = read(html).images
    assert (link.text_before, link.text_after) == (before, after)


def test_cuts_the_text_around_between_words():
    (link,) = read("alpha beta gamma <img src=a alt=A> delta epsilon", context_chars=8).images
    assert (link.text_before, link.text_after) == ("gamma", "delta")
    (link,) = read("東京都庁舎の写真<img src=a alt=A>東京都庁舎の写真", context_chars=4).images
    assert (link.text_before, link.text_after) == ("舎の写真", "東京都庁")
    (link,) = read("alpha <img src=a alt=A> beta", context_chars=0).images
    assert (link.text_before, link.text_after) == ("", "")


@pytest.mark.parametrize(
    ("headers", "body", "reason"),
    [
        ({"Content-Type": "application/pdf"}, b"<html>", Reason.RECORD_NOT_HTML),
        ({"Content-Type": "text/plain"}, b"words", Reason.RECORD_NOT_HTML),
        ({"Content-Type": "text/html"}, b"\xff\xd8\xff\xe0", Reason.RECORD_NOT_HTML),
        ({"Content-Type": "text/html"}, b"%PDF-1.7", Reason.RECORD_NOT_HTML),
        ({"Content-Type": "text/xml"}, b"<?xml version='1.0'?><rss>", Reason.RECORD_NOT_HTML),
        ({}, b"<!---->" * 500, Reason.RECORD_NOT_HTML),
        ({}, b"\n<!-- a --> <!DOCTYPE html>", None),
        ({"content-type": "text/xml"}, b"<?xml version='1.0'?><html xmlns='x'>", None),
        ({"content-type": "Application/XHTML+xml"}, b"<html>", None),
    ],
)
def test_tells_pages_from_other_captures(headers, body, reason):
    found = read(body, headers)
    assert (found if reason else isinstance(found, Page)) == (reason or True)


def test_needs_the_url_of_the_page():
    assert read("<p>", url="ftp://a.example/") is Reason.PAGE_URL_INVALID


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"\xef\xbb\xbf\xc3\xbc", "text/html; charset=latin1", "ü"),
        ("ü".encode("utf-16"), "", "ü"),
        ("ü".encode("utf-16-be"), "text/html; charset=utf-16be", "ü"),
        (b"\xfc\x80", "text/html; charset=ISO-8859-1", "ü€"),
        (b"\xfc", "text/html; charset='windows-1252'; x", "ü"),
        (b"<meta charset=koi8-r>\xc1", "text/html", "<meta charset=koi8-r>а"),
        (b"<meta charset=koi8-r>\xc1", "text/html; charset=unknown", "<meta charset=koi8-r>а"),
        (b"<meta http-equiv=Content-Type content='text/html; charset=gb2312'>\x81\x30\x81\x30", "", None),
        (
            b"<!-- <meta charset=koi8-r> --><meta charset=utf-16>\xc3\xbc",
            "",
            "<!-- <meta charset=koi8-r> --><meta charset=utf-16>ü",
        ),
        (b"<?xml version='1.0' encoding='windows-1251'?>\xe0", "", "<?xml version='1.0' encoding='windows-1251'?>а"),
        (b" " * 1024 + b"<meta charset=koi8-r>\xc3\xbc", "", " " * 1024 + "<meta charset=koi8-r>ü"),
        (b"\x83\x65", "text/html; charset=Shift_JIS", "テ"),
        (b"\xff", "text/html; charset=utf-8", "\ufffd"),
        (
            "Съешь ещё этих мягких французских булок, да выпей же чаю".encode("cp1251"),
            "",
            "Съешь ещё этих мягких французских булок, да выпей же чаю",
        ),
        (b"\xe0", "text/html; charset=x-mac-cyrillic", "а"),
    ],
)
def test_decodes_as_browsers_do(body, content_type, expected):
    text = decode_page(body, content_type)
    if expected is None:
        assert text.endswith("\x80")
    else:
        assert text == expected


def plain_candidates(page):
    return [(link.url, link.words.get("alt"), link.words.get("title"), link.words.get("og")) for link in page.images]


def test_gives_the_candidates_of_a_wat():
    archive = Archive("x.warc.gz")
    archive.page(
        URL,
        "<base href=/c/><img src=a.jpg alt='A &amp; b' title=T><img src='//x.example/ü.png' alt=Ü><img src=no.jpg>"
        "<figure><a href=x.html><img src=a.jpg alt=A></a><figcaption>C</figcaption></figure>",
    )
    archive.page(
        URL,
        "<html lang=de><meta property=og:image content=o.jpg><meta property=og:title content=T><a rel=license href=/l>x</a>",
    )
    archive.page(URL, "<img src=a.jpg alt=Gr\xfc\xdfe>".encode("latin-1"), content_type="text/html; charset=latin1")
    warc = archive.to_bytes()
    from_warc = [page_from_html(capture, "x.warc.gz") for capture in read_warc(io.BytesIO(warc), 10**6)]
    from_wat = [page_from_wat(capture) for capture in read_wat(io.BytesIO(wat_from_warc(warc, "x.warc.gz")))]
    assert [plain_candidates(page) for page in from_warc] == [plain_candidates(page) for page in from_wat]
    for one_page, other in zip(from_warc, from_wat, strict=True):
        assert (one_page.facts, one_page.dropped, one_page.captured_at) == (
            other.facts,
            other.dropped,
            other.captured_at,
        )
        assert (one_page.warc_file, one_page.warc_offset, one_page.warc_length) == (
            other.warc_file,
            other.warc_offset,
            other.warc_length,
        )


SEGMENT = files("allmende.demo") / "data" / "crawl-data" / "CC-MAIN-2026-99" / "segments" / "1700000000000.0"


@pytest.mark.parametrize("number", range(3))
def test_agrees_with_the_wats_of_the_demo(number):
    name = f"CC-MAIN-20261005041234-20261019060501-0000{number}.warc"
    wats = {}
    for capture in read_wat(io.BytesIO((SEGMENT / "wat" / f"{name}.wat.gz").read_bytes())):
        page = capture if isinstance(capture, Reason) else page_from_wat(capture)
        if isinstance(page, Page):
            wats[page.warc_offset] = page
    pages = 0
    for capture in read_warc(io.BytesIO((SEGMENT / "warc" / f"{name}.gz").read_bytes()), 10**7):
        if isinstance(capture, Reason) or is_image(capture):
            continue
        page = page_from_html(capture, f"{name}.gz")
        if isinstance(page, Reason):
            continue
        pages += 1
        wat = wats[page.warc_offset]
        assert page.facts == wat.facts
        plain = {
            (link.url, link.words["alt"]) for link in page.images if link.found_in == "img" and "alt" in link.words
        }
        told = {(link.url, link.words["alt"]) for link in wat.images if "alt" in link.words}
        assert plain <= told
        # What the WAT has in addition is shown larger, or is what stands in <noscript>: the same words are there.
        alts = {link.words.get("alt") for link in page.images}
        assert {alt for _, alt in told - plain} <= alts
    assert pages > 30


PARTS = """<img src=a.jpg alt=A>|<img |srcset='a 2x, b 300w' |data-src=x.jpg |alt="|<a href=b.png>|</a>|<figure>|</figure>|<figcaption>
<noscript>|</noscript>|<picture>|<source srcset=c>|<base href=//[>|<meta property=og:image content=x>|<script type=application/ld+json>
{"@type":"ImageObject","url":"u","name":|"n"}|</script>|<!--|-->|<table>|<svg>|<template>|<title>|words |\0|\ud83d|&amp;|&#xD800;|>|'"""
parts = st.sampled_from(PARTS.replace("\n", "|").split("|"))


def sound(page):
    if isinstance(page, Reason):
        return
    for link in page.images:
        assert link.url.startswith(("http://", "https://"))
        assert link.words
        for text in (*link.words.values(), link.text_before, link.text_after):
            assert text == " ".join(text.encode().decode().split())
        assert all(link.words.values())
        assert max(len(link.text_before), len(link.text_after)) <= 200


@settings(max_examples=300)
@given(st.lists(parts, max_size=30))
def test_any_html_is_read(pieces):
    sound(read("".join(pieces).encode("utf-8", "surrogatepass")))


@settings(max_examples=100)
@given(
    st.binary(),
    st.sampled_from(
        ["text/html", "text/html; charset=utf-16", "text/html; charset=iso-2022-jp", "text/html; charset=\0"]
    ),
)
def test_any_bytes_are_read(body, content_type):
    sound(read(body, {"Content-Type": content_type}))


@pytest.mark.parametrize(
    "part",
    [
        "<div>",
        "<ul><li>",
        "<b><div></b>",
        "<figure><img src=a alt=b>",
        "<noscript><img src=a alt=b>",
        "<a href=x.jpg>t",
        "<picture><source srcset=a><img src=a alt=b>",
        "<object><div></object>",
    ],
)
def test_no_page_nests_deeper_than_browsers_allow(part):
    depths = {}
    for node in LexborHTMLParser(flattened(part * 20_000)).root.traverse():
        depths[node.mem_id] = depths.get(node.parent.mem_id, 0) + 1
    assert len(depths) > 500
    assert max(depths.values()) <= 2 * MAX_DEPTH + 2  # <li> and its kin are not counted, but stand in what is


def test_no_page_makes_the_parser_repeat_itself_without_end():
    html = "<p>" + "".join(f"<b class=x{n}>" for n in range(3_000)) + "</p>" + "<p>x</p>" * 20_000
    elements = sum(1 for _ in LexborHTMLParser(flattened(html)).root.traverse())
    assert elements < 2_000_000  # and 60 million without care


def test_large_pages_are_read_as_small_ones():
    row = "<div><p>One<a href=x><b>two</b><img src=a.jpg alt=A></a></div><a name=n>"
    page = read(row * MAX_UNCHECKED)
    assert len(page.images) == MAX_UNCHECKED
    assert {tuple(link.words) for link in page.images} == {("alt", "link_text")}


def test_numbers_of_thousands_of_digits_do_no_harm():
    digits = "9" * 5000
    (found,) = images(LD % f'{{"@type":"ImageObject","url":"j.jpg","name":"A &#{digits}"}}')
    assert found[2]["json_ld"].startswith("A ")
    assert images(LD % f'{{"@type":"ImageObject","url":"j.jpg","name":"A","width":{digits}}}') == []
