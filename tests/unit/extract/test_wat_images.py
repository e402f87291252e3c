from datetime import UTC, datetime
from io import BytesIO

import pytest

from allmende.commoncrawl.wat import read_wat
from allmende.extract.page import Link, parse_date
from allmende.extract.wat_images import page_from_wat
from allmende.schema import Reason
from allmende.testing.archives import Archive, warc_record, wat_from_warc


def page(html, *, url="https://example.org/dir/page.html", form="current", before=b"", **options):
    archive = Archive("a.warc.gz")
    archive.page(url, html, **options)
    (capture,) = read_wat(BytesIO(before + wat_from_warc(archive.to_bytes(), "a.warc.gz", form=form)))
    return page_from_wat(capture)


def images(html, **options):
    return [(link.url, link.found_in, link.words) for link in page(html, **options).images]


def test_images_with_their_words():
    assert images('<img src="a.jpg" alt=" Ein\n Rad " title="T"><img src="/b.jpg" title="U">') == [
        ("https://example.org/dir/a.jpg", "img", {"alt": "Ein Rad", "title": "T"}),
        ("https://example.org/b.jpg", "img", {"title": "U"}),
    ]


def test_what_is_no_candidate_is_counted():
    found = page(
        '<img src="a.jpg"><img src="b.jpg" alt=" "><img src="data:image/gif;base64,R0" alt="x">'
        '<img src="" alt="x"><img src="https://" alt="x"><img src="' + "c" * 3000 + '" alt="x">'
    )
    assert found.images == []
    assert found.dropped == {
        Reason.NO_CAPTION: 2,
        Reason.URL_SCHEME: 1,
        Reason.URL_INVALID: 2,
        Reason.URL_TOO_LONG: 1,
    }


def test_base_element():
    assert images('<base href="//cdn.example/x/"><img src="a.jpg" alt="b">')[0][0] == "https://cdn.example/x/a.jpg"


def test_images_that_the_head_names():
    html = """<meta property="og:title" content="Der Titel"><meta property="og:image" content="/1.jpg">
    <meta property="og:image:alt" content="Eins"><meta property="og:image" content="/2.jpg">
    <meta property="og:image:secure_url" content="https://example.org/2.jpg">
    <meta name="twitter:image" content="/1.jpg"><link rel="image_src" href="/3.jpg">"""
    assert images(html) == [
        ("https://example.org/1.jpg", "og:image", {"og": "Eins"}),
        ("https://example.org/2.jpg", "og:image", {"og": "Der Titel"}),
        ("https://example.org/3.jpg", "image_src", {"og": "Der Titel"}),
    ]


def test_an_image_of_page_and_head_is_one():
    html = '<meta property="og:image" content="/1.jpg"><meta property="og:title" content="T"><img src="/1.jpg" alt="A">'
    assert images(html) == [("https://example.org/1.jpg", "img", {"alt": "A", "og": "T"})]
    assert images(html.replace(' alt="A"', "")) == [("https://example.org/1.jpg", "og:image", {"og": "T"})]
    assert page('<meta property="og:image" content="/1.jpg">').dropped == {Reason.NO_CAPTION: 1}


def test_facts():
    html = """<html lang="de-AT"><meta name="ROBOTS" content="noai"><meta name="robots" content="noimageai">
    <meta name="tdm-reservation" content="1"><link rel="license" href="/by-sa"><a rel="license" href="/other">x</a>"""
    headers = [("X-Robots-Tag", "noindex"), ("TDM-Reservation", "0"), ("tdm-policy", "https://example.org/p.json")]
    facts = page(html, headers=headers).facts
    assert facts.language == "de-AT"
    assert facts.license == "https://example.org/by-sa"
    assert facts.robots == "noai\nnoimageai"
    assert facts.x_robots_tag == "noindex"
    assert facts.tdm_reservation == "1"
    assert facts.tdm_policy == "https://example.org/p.json"
    assert page("<p>", headers=[("Content-Language", "fr")]).facts.language == "fr"


def test_rules_for_agents():
    html = """<meta name="googlebot" content="index"><meta name="GPTBot" content=" noai,\n noml "><meta name="robots"
    content="otherbot: nofollow, noai"><meta name="Google-Extended" content="noai"><meta http-equiv="X-Robots-Tag"
    content="noimageai"><meta name="allmende" content="noindex"><meta name="robots" content=""><meta name="keywords"
    content="noai"><meta name="spider" content="all"><meta name="description" content="robots: noai">"""
    assert page(html).facts.robots.split("\n") == [
        "googlebot: index",
        "gptbot: noai, noml",
        "robots: otherbot: nofollow, noai",
        "google-extended: noai",
        "noimageai",
        "allmende: noindex",
        "spider: all",
    ]
    assert page('<meta name="gptbot" content=""><meta property="og:title" content="x">').facts.robots is None


@pytest.mark.parametrize(
    ("metas", "headers", "expected"),
    [
        (["1"], [], "1"),
        (["0"], ["1"], "0"),
        (["yes"], ["1"], "1"),
        (["yes"], ["no"], "yes"),
        (["", " "], ["0"], "0"),
        (["0", "1"], [], "0, 1"),
        ([], ["x"], "x"),
        ([], [], None),
    ],
)
def test_a_protocol_error_overrides_no_reservation(metas, headers, expected):
    html = "".join(f'<meta name="tdm-reservation" content="{value}">' for value in metas)
    assert (
        page(html or "<p>", headers=[("tdm-reservation", value) for value in headers]).facts.tdm_reservation == expected
    )


@pytest.mark.parametrize("form", ["current", "2019", "2013"])
def test_licences_for_machines_are_no_licence_of_the_page(form):
    html = """<link rel="license" type="application/rsl+xml" href="/a.xml"><link rel="LICENSE" type="application/RSL+xml"
    href="b.xml"><link rel="license" href="https://creativecommons.org/licenses/by/4.0/"><link rel="alternate"
    type="application/rsl+xml" href="/c.xml">"""
    told = ["https://example.org/d.xml", "/a.xml"]
    links = ", ".join(f'<{target}>; rel="license"; type="application/rsl+xml"' for target in told)
    headers = [("Link", f"{links}, </e.css>; rel=preload"), ("Content-Usage", "train-ai=n")]
    facts = page(html, headers=headers, form=form).facts
    assert facts.rsl.split("\n") == [
        "https://example.org/d.xml",
        "https://example.org/a.xml",
        "https://example.org/dir/b.xml",
    ]
    assert facts.license == "https://creativecommons.org/licenses/by/4.0/"
    assert facts.content_usage == "train-ai=n"


def test_other_links_in_headers_are_no_licence():
    assert page("<p>", headers=[("Link", '</x>; rel="https://api.w.org/"')]).facts.rsl is None
    assert page("<p>", headers=[("Link", "</x>; rel=license")]).facts.rsl is None


def test_licence_of_the_body():
    html = '<title>x</title><a rel="license noopener" href="https://creativecommons.org/licenses/by/4.0/">CC</a>'
    for form in ("current", "2019", "2013"):
        assert page(html, form=form).facts.license == "https://creativecommons.org/licenses/by/4.0/"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"status": 404}, Reason.RECORD_HTTP_STATUS),
        ({"content_type": "image/png"}, Reason.RECORD_NOT_HTML),
        ({"url": "dns:example.org"}, Reason.PAGE_URL_INVALID),
    ],
)
def test_captures_that_are_no_pages(options, reason):
    assert page('<img src="a.jpg" alt="b">', **options) is reason


def test_old_files_hold_character_references():
    old = warc_record("warcinfo", b"format: WAT\r\n", date="2018-01-01T00:00:00Z")
    # The builder decodes references once, so the page has them twice: what is left is what an old generator wrote.
    archive = Archive("a.warc.gz")
    archive.page("https://example.org/", '<img src="a.jpg?b=1&amp;amp;c=2" alt="R&amp;auml;der">')
    wat = wat_from_warc(archive.to_bytes(), "a.warc.gz")
    wat = old + wat[wat.index(b"\x1f\x8b\x08", 1) :]
    (capture,) = read_wat(BytesIO(wat))
    assert page_from_wat(capture).images == [Link("https://example.org/a.jpg?b=1&c=2", "img", {"alt": "Räder"})]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2026-10-21T12:00:00Z", datetime(2026, 10, 21, 12, tzinfo=UTC)),
        ("2026-10-21T12:00:00.123456Z", datetime(2026, 10, 21, 12, 0, 0, 123456, UTC)),
        ("20100910230153", datetime(2010, 9, 10, 23, 1, 53, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        ("99999999999999", None),
    ],
)
def test_dates(text, date):
    assert parse_date(text) == date
