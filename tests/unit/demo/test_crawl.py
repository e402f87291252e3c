"""The crawl that ships: every link leads somewhere, every picture has an origin, and each decoder gets work."""

import csv
import io
from collections import Counter

import ada_url
import msgspec
import pytest
from fastwarc import ArchiveIterator, WarcRecordType
from PIL import Image
from selectolax.lexbor import LexborHTMLParser

from allmende import demo, recipe_file
from allmende.demo.replay import PORT, Web
from allmende.demo.server import DATA, library
from allmende.testing.archives import read_records, split_record, wat_from_warc
from allmende.testing.wat import HEADER_END, header_lines

LEADING_NOWHERE = {
    "bauwerke.localhost:8443": 1,
    "fort.localhost:8087": 2,
    "verlassen.localhost:8088": 1,
    "192.168.1.20": 1,
    "versteckt7aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.onion": 1,
}
"""Hosts of pictures on the pages that nobody answers for, and how many pictures."""


@pytest.fixture(scope="module")
def web() -> Web:
    return library(PORT).web


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    found = {}
    for path in sorted(DATA.glob("crawl-data/*/segments/*/warc/*.warc.gz")):
        for record in ArchiveIterator(io.BytesIO(path.read_bytes()), WarcRecordType.response, parse_http=False):
            record.parse_http(auto_decode="all")
            if record.http_content_type == "text/html" and record.http_headers.status_code == 200:
                body = record.reader.read()
                if not body:
                    continue
                charset = LexborHTMLParser(body.decode("latin-1")).css_first("meta[charset]")
                name = charset.attributes["charset"] if charset else "utf-8"
                found[record.headers["WARC-Target-URI"]] = body.decode(name)
    return found


def shown(url: str, html: str) -> set[str]:
    """URLs of the pictures in `<img src>`, as a browser would ask for them."""
    tree = LexborHTMLParser(html)
    base = tree.css_first("base")
    root = base.attributes["href"] if base else url
    sources = [node.attributes.get("src") or "" for node in tree.css("img")]
    links = [ada_url.URL(source, root) for source in sources if "[" not in source]
    return {link.href.partition("#")[0] for link in links if link.protocol in ("http:", "https:")}


def test_every_picture_on_a_page_is_answered_or_meant_to_be_missing(web: Web, pages: dict[str, str]) -> None:
    links = {link for url, html in pages.items() for link in shown(url, html)}
    furniture = ("logo.svg", "mail.png", "rss.png", "spacer.gif")
    missing = [
        link
        for link in links
        if link.partition("?")[0] not in web.answers and link not in web.answers and not link.endswith(furniture)
    ]
    assert Counter(link.split("/")[2] for link in missing) == LEADING_NOWHERE


def test_pages_are_many_in_many_languages_and_encodings(pages: dict[str, str]) -> None:
    trees = [LexborHTMLParser(html) for html in pages.values()]
    languages = {tree.css_first("html").attributes["lang"] for tree in trees}
    charsets = {
        tree.css_first("meta[charset]").attributes["charset"] for tree in trees if tree.css_first("meta[charset]")
    }
    assert (len(pages), len(languages), len(charsets)) == (98, 23, 13)


def test_every_picture_has_an_origin_and_a_free_licence(web: Web) -> None:
    with (DATA / "pictures.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["licence"] for row in rows} == {"public-domain", "CC0-1.0"}
    assert all(row["package"] and row["path"] and row["url"] in web.answers for row in rows)
    made_here = ("kaputt", "winzig", "werbung", "zaehler", "verboten", "langsam", "schweigt", "ueberlastet")
    others = {
        url
        for url, answers in web.answers.items()
        if b"Content-Type: image/" in answers[-1].message and not url.split("/")[2].startswith(made_here)
    } - {row["url"] for row in rows}
    assert all("/klein/" in url or url.endswith(("spacer.gif", "rss.png")) for url in others)


def test_every_format_is_there_and_decodes(web: Web) -> None:
    with (DATA / "pictures.csv").open(newline="") as file:
        urls = [row["url"] for row in csv.DictReader(file)]
    formats: Counter[str] = Counter()
    modes = set()
    for url in urls:
        with Image.open(io.BytesIO(web.answers[url][0].message.partition(HEADER_END)[2])) as image:
            image.load()
            formats[image.format or ""] += 1
            modes.add((image.format, image.mode))
    assert set(formats) == {"JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"}
    assert {("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "RGBA"), ("PNG", "P")} <= modes


def test_the_wats_are_those_of_the_warcs() -> None:
    warcs = sorted(DATA.glob("crawl-data/*/segments/*/warc/*.warc.gz"))
    for warc in warcs:
        wat = warc.parents[1] / "wat" / warc.name.replace(".warc.gz", ".warc.wat.gz")
        told = [split_record(record)[1] for _, record in read_records(wat.read_bytes())]
        made = [split_record(record)[1] for _, record in read_records(wat_from_warc(warc.read_bytes(), warc.name))]
        assert told == made
        places = [str(place.offset) for place, _ in read_records(warc.read_bytes())]
        assert [msgspec.json.decode(record)["Container"]["Offset"] for record in told[1:]] == places
    assert len(warcs) == 3


def test_troubles_are_recorded(web: Web) -> None:
    def status(path: str) -> list[bytes]:
        return [answer.message.split(b" ")[1] for answer in web.answers[f"http://{path}"]]

    assert status("ueberlastet.localhost:8087/spaeter.jpg") == [b"429", b"200"]
    assert status("fort.localhost:8087/gone.jpg") == [b"410"]
    forbidden = web.answers["http://verboten.localhost:8087/foto1.jpg"][0].message
    assert header_lines(forbidden.partition(HEADER_END)[0])["X-Robots-Tag"] == "noai, noimageai"
    assert web.delays["http://schweigt.localhost:8087/nie.jpg"] == 30


def test_the_recipe_is_valid_and_survives_its_own_file() -> None:
    recipe = demo.recipe(demo.Server(8087), "out")
    recipe_file.check(recipe)
    assert recipe_file.loads(recipe_file.dumps(recipe)) == recipe
