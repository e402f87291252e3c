"""WARC to candidates on one core: pages and megabytes a second. Prints a line of a Markdown table.

    python benchmarks/extract_warc.py [--megabytes 100] [--profile]

The input is made by `archive_inputs.py` from saved web pages and documentation (see there). Timed is what a worker
does: reading the archive, parsing, judging the captions with the recipe's defaults, and building the tables.
"""

import argparse
import cProfile
import pstats
import time
from collections.abc import Iterator
from pathlib import Path

import archive_inputs
import peers

from allmende.commoncrawl.warc import read_warc
from allmende.extract.candidates import candidate_batches
from allmende.extract.html_images import page_from_html
from allmende.extract.judge import EachLink
from allmende.extract.page import Page
from allmende.filters.judge import CaptionJudge
from allmende.recipe import Captions, Extract, Urls
from allmende.schema import Reason


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=100, help="HTML in the archive")
    parser.add_argument("--cache", type=Path, default=peers.CACHE, help="folder of the inputs")
    parser.add_argument("--profile", action="store_true", help="where the time goes, instead of the table")
    chosen = parser.parse_args()
    folder = chosen.cache / f"warc-{chosen.megabytes}"
    existing = list(folder.glob("*.warc.gz"))
    pages = [] if existing else archive_inputs.sources(chosen.cache)
    path = existing[0] if existing else archive_inputs.write_warc(folder, pages, chosen.megabytes)
    if chosen.profile:
        profile = cProfile.Profile()
        profile.runcall(candidates, path)
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        return
    count, size = contents(path)
    candidates(path)  # warms up
    started, cpu = time.perf_counter(), time.process_time()
    found = candidates(path)
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    print("| pages | KB a page | candidates | CPU s | pages/CPU-s | MB/CPU-s | wall s |")
    print("|---|---|---|---|---|---|---|")
    print(
        f"| {count:,} | {size / count / 1e3:.0f} | {found:,} | {cpu:.2f} | {count / cpu:,.0f} | {size / cpu / 1e6:.1f} | {wall:.2f} |"
    )


def contents(path: Path) -> tuple[int, int]:
    """Pages, and bytes of their HTML."""
    with path.open("rb") as stream:
        sizes = [len(one.body) for one in read_warc(stream, Extract().max_page_bytes) if not isinstance(one, Reason)]
    return len(sizes), sum(sizes)


def candidates(path: Path) -> int:
    """How many candidates the archive has."""
    judge = EachLink(CaptionJudge(Captions(), Urls(), Extract().caption_sources))
    with path.open("rb") as stream:
        return sum(batch.candidates.kept for batch in candidate_batches(pages_of(stream, path.name), judge))


def pages_of(stream, name: str) -> Iterator[Page | Reason]:
    for capture in read_warc(stream, Extract().max_page_bytes):
        yield capture if isinstance(capture, Reason) else page_from_html(capture, name)


if __name__ == "__main__":
    main()
