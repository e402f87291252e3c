"""Rebuilds the documents that ship with Allmende (src/allmende/demo/documents) from Debian packages.

    .venv/bin/pip install resvg-py lxml
    .venv/bin/python tools/make_demo_documents.py [FOLDER FOR PACKAGES]

Needs Debian or Ubuntu with apt-get; the pages are those of Debian 12. What comes out:

    crawl-data/CC-MAIN-2026-98/…   WARC files, captures of robots.txt, and their path lists, laid out as Common Crawl's
    collinfo.json                  the list of crawls: this one
    pages.csv                      package, path and licence of every page, and what was changed
    README.md                      whose the pages are, and under which terms

Same packages: same bytes.
"""

import csv
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from demo_documents import manuals, troubles
from demo_documents.manuals import Page, Terms

from allmende.demo.text import CRAWL, DATA
from allmende.identity import key64
from allmende.testing.archives import Archive
from allmende.testing.crawl_server import lay_out

ARCHIVES = 4
SPAN = "20261005041234-20261019060501"

README = """# The documents of the demo

A made-up crawl, written by tools/make_demo_documents.py. All hosts are made up, too (`.example`): nobody else's site is
meant, and no page was fetched from the web. The pages of the manuals are those of the packages named below, byte for byte
unless `pages.csv` names a change. They stay under the terms of their makers:

{terms}

The licences' texts:

- CC-BY-SA-3.0: <https://creativecommons.org/licenses/by-sa/3.0/legalcode>
- Apache-2.0: <https://www.apache.org/licenses/LICENSE-2.0>
- MPL-2.0: <https://www.mozilla.org/MPL/2.0/>; the source of LibreOffice's help is at <https://git.libreoffice.org/help>
  (tag libreoffice-7.4.7.2) and in Debian's source package libreoffice.

All other pages were written for Allmende and are dedicated to the public domain (CC0 1.0). E-mail addresses, telephone and
account numbers on them are those reserved for examples.
"""


def main() -> None:
    """Makes everything anew."""
    packages = Path(sys.argv[1] if len(sys.argv) > 1 else ".cache/demo-packages")
    packages.mkdir(parents=True, exist_ok=True)
    shown, terms = manuals.load(packages)
    pages = sorted([*shown, *troubles.pages()], key=lambda page: key64(page.url))
    shutil.rmtree(DATA, ignore_errors=True)
    DATA.mkdir(parents=True)
    lay_out(DATA, CRAWL, {"warc": _archives(pages), "robotstxt": _robots()})
    _write_origins(DATA / "pages.csv", pages)
    (DATA / "README.md").write_text(README.format(terms="\n".join(map(_term, terms))))


def _archives(pages: Sequence[Page]) -> dict[str, bytes]:
    """WARC files; pages lie in them in no order, as in any crawl."""
    warcs = {}
    for number in range(ARCHIVES):
        name = f"CC-MAIN-{SPAN}-{number:05}.warc.gz"
        archive = Archive(name, CRAWL)
        for minute, page in enumerate(pages[number::ARCHIVES]):
            _add_page(archive, page, f"2026-10-{5 + number * 4:02}T{minute // 60:02}:{minute % 60:02}:00Z")
        if number == 0:
            archive.revisit("https://handbook.example/browse/de-DE/stable/index.html")
        warcs[name] = archive.to_bytes()
    return warcs


def _add_page(archive: Archive, page: Page, date: str) -> None:
    archive.request(page.url, date=date)
    encoding = {"encoding": page.encoding} if page.encoding else {}
    archive.response(
        page.url,
        page.body,
        date=date,
        content_type=page.content_type,
        headers=page.headers,
        status=page.status,
        **encoding,
    )
    archive.metadata(page.url, {"fetchTimeMs": "12"}, date=date)


def _robots() -> dict[str, bytes]:
    name = f"CC-MAIN-{SPAN}-00000.warc.gz"
    archive = Archive(name, CRAWL)
    for host, text in troubles.ROBOTS.items():
        archive.response(f"https://{host}/robots.txt", text.encode(), content_type="text/plain")
    return {name: archive.to_bytes()}


def _write_origins(path: Path, pages: Sequence[Page]) -> None:
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["url", "package", "path", "licence", "change"])
        for page in sorted(pages, key=lambda page: page.url):
            table.writerow([page.url, page.package, page.path, page.licence, page.change])


def _term(terms: Terms) -> str:
    packages = ", ".join(terms.packages)
    return f"- {terms.title}, by {terms.creator}: {terms.licence}. <{terms.source}> Taken from {packages}."


if __name__ == "__main__":
    main()
