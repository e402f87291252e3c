"""Rebuilds the crawl that ships with Allmende (src/allmende/demo/data) from Debian packages.

    .venv/bin/pip install resvg-py lxml
    .venv/bin/python tools/make_demo_crawl.py [FOLDER FOR PACKAGES]

Needs Debian or Ubuntu with apt-get. What comes out:

    crawl-data/CC-MAIN-2026-99/…   WARC and WAT files and their path lists, laid out as Common Crawl's
    collinfo.json                  the list of crawls: this one
    web.warc.gz                    what the hosts of the crawl answer when their pictures are asked for
    pictures.csv                   origin, creator and licence of every picture
    README.md                      the same in a few words

Same packages, same Pillow: same bytes.
"""

import csv
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from demo_crawl import troubles
from demo_crawl.pages import PORT, Page, gallery_pages, homes, site_pages, sites
from demo_crawl.pictures import Picture, load

from allmende.testing.archives import Archive, wat_from_warc
from allmende.testing.crawl_server import lay_out

CRAWL = "CC-MAIN-2026-99"
DATA = Path(__file__).parents[1] / "src/allmende/demo/data"
ARCHIVES = 3

README = """# The demo crawl

A made-up crawl of made-up web sites, written by tools/make_demo_crawl.py.
Every picture is in the public domain or under CC0 1.0 by the word of the Debian package it comes from (gcompris-qt-data,
openclipart-svg); `pictures.csv` names package, path, creator, licence and source of each, and what was done to it.
The pages and captions were written for Allmende and are dedicated to the public domain (CC0 1.0).
"""


def main() -> None:
    """Makes everything anew."""
    packages = Path(sys.argv[1] if len(sys.argv) > 1 else ".cache/demo-packages")
    packages.mkdir(parents=True, exist_ok=True)
    pictures = load(packages)
    all_sites = sites()
    urls = homes(all_sites, pictures)
    pages = [page for site in all_sites for page in site_pages(site, pictures, urls)]
    pages += [*gallery_pages(pictures, urls), *troubles.pages(pictures, urls)]
    shutil.rmtree(DATA, ignore_errors=True)
    DATA.mkdir(parents=True)
    lay_out(DATA, CRAWL, _archives(pages))
    (DATA / "web.warc.gz").write_bytes(_web(pictures, urls, pages))
    _write_origins(DATA / "pictures.csv", pictures, urls)
    (DATA / "README.md").write_text(README)


def _archives(pages: Sequence[Page]) -> dict[str, dict[str, bytes]]:
    """WARC and WAT files; a crawl's pages lie in no order, so every third page goes into the same file."""
    warcs, wats = {}, {}
    for number in range(ARCHIVES):
        name = f"CC-MAIN-20261005041234-20261019060501-{number:05}.warc.gz"
        archive = Archive(name, CRAWL)
        for minute, page in enumerate(pages[number::ARCHIVES]):
            _add_page(archive, page, f"2026-10-{5 + number * 5:02}T{minute // 60:02}:{minute % 60:02}:00Z")
        if number == 0:
            _add_others(archive)
        warcs[name] = archive.to_bytes()
        wats[name.replace(".warc.gz", ".warc.wat.gz")] = wat_from_warc(warcs[name], name)
    return {"warc": warcs, "wat": wats}


def _add_page(archive: Archive, page: Page, date: str) -> None:
    site = page.site
    archive.request(page.url, date=date)
    encoding = {"encoding": site.encoding} if site.encoding else {}
    archive.page(
        page.url,
        page.html.encode(site.charset, "xmlcharrefreplace"),
        date=date,
        content_type=f"text/html; charset={site.charset}" if site.style != "figure" else "text/html",
        chunked=site.chunked,
        **encoding,
    )
    archive.metadata(page.url, {"fetchTimeMs": "12"}, date=date)


def _add_others(archive: Archive) -> None:
    """What else lies in a crawl: a missing page, a file that is no page, a page without a body, a page seen before."""
    base = f"http://bauwerke.localhost:{PORT}"
    archive.page(f"{base}/fehlt.html", "<h1>Nicht gefunden</h1>", status=404)
    archive.response(f"{base}/daten.json", b'{"bilder": []}', content_type="application/json")
    archive.page(f"{base}/leer.html", "")
    archive.revisit(f"{base}/impressum.html")


def _web(pictures: Sequence[Picture], urls: dict[str, str], pages: Iterable[Page]) -> bytes:
    web = Archive("web.warc.gz", CRAWL)
    wanted = {url for page in pages for url in re.findall(r"http://[^\"\s,]+/klein/[^\"\s,]+\.jpg", page.html)}
    for picture in pictures:
        web.response(urls[picture.name], picture.data, content_type=picture.mime)
    troubles.add_thumbs(web, pictures, urls, wanted)
    troubles.add_responses(web, pictures, urls)
    return web.to_bytes()


def _write_origins(path: Path, pictures: Sequence[Picture], urls: dict[str, str]) -> None:
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["url", "package", "path", "title", "creator", "licence", "source", "change"])
        for picture in pictures:
            origin = picture.origin
            row = [urls[picture.name], origin.package, origin.path, origin.title, origin.creator]
            table.writerow([*row, origin.licence, origin.source, picture.changed])


if __name__ == "__main__":
    main()
