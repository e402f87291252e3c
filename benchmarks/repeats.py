"""Lines that repeat on a host: what limits take out of the demo's texts, and what two passes cost.

    python benchmarks/repeats.py [--pages 1_000_000]

The demo for text is built with and without its second pass, by one worker. Then lines of so many invented pages of 20,000 hosts, 40
each, 8 of them from a menu, are counted in one bucket: CPU seconds and peak memory of a process of its own.
"""

import argparse
import shutil
import sys
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from peers import CACHE, Cost, machine, run

from allmende import demo, recipe_file
from allmende.dedup.repeats import Counter, Options, remove
from allmende.lake import Lake
from allmende.parts import Plan
from allmende.recipe import Dataset, Recipe, Repeats, Select
from allmende.steps.buckets import BucketWriter
from allmende.steps.pages import LINES, LINES_SCHEMA
from allmende.steps.repeated import counting_pages

LIMITS = ((5, 0.1), (10, 0.01), (10, 0.05), (10, 0.1), (10, 0.2), (20, 0.01))
LINES_A_PAGE, MENU, HOSTS = 40, 8, 20_000
FILES = 10

COUNT = """
import sys
from allmende import recipe_file
from allmende.lake import Lake
from allmende.lock import leave
from allmende.steps import repeated
from allmende.steps.step import Settings
lake, recipe = Lake(sys.argv[1]), recipe_file.load(sys.argv[2])
repeated.Worker(Settings.encode(lake, recipe, "d", 1)).run({"parts": {"00000": {"bucket": 0, "buckets": 1}}})
leave(lake)
"""


def build(folder: Path, unit: str) -> Cost:
    """The demo, built anew."""
    shutil.rmtree(folder, ignore_errors=True)
    recipe = msgspec.structs.replace(demo.text.recipe(str(folder)), repeats=Repeats(unit=unit))
    path = folder.with_suffix(".toml")
    path.write_text(recipe_file.dumps(recipe))
    return run([sys.executable, "-m", "allmende", "build", str(path), "--workers", "1"])


def size(folder: Path) -> float:
    """MB of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def limits(dataset: Path) -> None:
    """Prints what each limit takes."""
    pages, lines = (
        pa.concat_tables([pq.read_table(path) for path in sorted((dataset / "pages").glob(pattern))])
        for pattern in ("part-?????.parquet", "*.lines.parquet")
    )
    texts = list(zip(pages["text"].to_pylist(), pages["host_key"].to_pylist(), strict=True))
    characters = sum(len(text) for text, _ in texts)
    print(f"\n{len(texts)} pages, {characters:,} characters\n")
    print(
        "| pages at least | share at least | different lines | taken out | characters | on pages |\n|---|---|---|---|---|---|"
    )
    for documents, share in LIMITS:
        options = Options(documents=documents, share=share)
        counter = Counter(options)
        counts = counting_pages(lines.select(["host_key", "url_key", "text_key"]), options)
        for batch in lines.filter(pa.array(counts)).combine_chunks().to_batches():
            counter.add(batch)
        keys = counter.frequent()[0]
        gone = [remove(text, host, keys, options) for text, host in texts]
        sums = (sum(one.lines for one in gone), sum(one.chars for one in gone), sum(one.lines > 0 for one in gone))
        print(f"| {documents} | {share} | {len(keys)} | {sums[0]:,} | {sums[1]:,} | {sums[2]} |")


def invented(folder: Path, pages: int) -> Path:
    """A dataset that has nothing but the lines of pages; its recipe."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    step, rng, each = Lake(folder).step("pages"), np.random.default_rng(0), pages // FILES
    ends = pa.array(np.arange(0, each * LINES_A_PAGE + 1, LINES_A_PAGE, dtype=np.int32))
    for number in range(FILES):
        hosts = rng.integers(0, HOSTS, each, dtype=np.uint64) << np.uint64(48)
        menu = rng.integers(1, MENU + 1, (each, MENU), dtype=np.uint64) + hosts[:, None]
        own = rng.integers(1, 1 << 63, (each, LINES_A_PAGE - MENU), dtype=np.uint64)
        lines = pa.ListArray.from_arrays(ends, pa.array(np.concatenate((menu, own), axis=1).ravel()))
        keys = (pa.array(rng.integers(1, 1 << 63, each, dtype=np.uint64)) for _ in range(2))
        with step.part(f"{number:05d}", "d") as part:
            with BucketWriter(str(part.file(LINES)), 1, LINES_SCHEMA) as file:
                file.write(pa.Table.from_arrays([pa.array(hosts), *keys, lines], schema=LINES_SCHEMA))
            part.commit({})
    step.write_plan(Plan(step="pages", digest="d", parts={}))
    path = folder.with_suffix(".toml")
    text = Dataset(name="x", kind="text", output=str(folder))
    recipe = Recipe(dataset=text, select=Select(archives=("x",), kind="warc"), repeats=Repeats(unit="line"))
    path.write_text(recipe_file.dumps(msgspec.structs.replace(recipe, publish=demo.text.recipe("x").publish)))
    return path


def main() -> None:
    """Prints tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=1_000_000)
    options = parser.parse_args()
    folder = CACHE / "repeats"
    folder.mkdir(parents=True, exist_ok=True)
    print(machine())
    print("\n| the demo's build | CPU s | written |\n|---|---|---|")
    for name, unit in (("one pass", "off"), ("two passes", "line")):
        cost = build(folder / unit, unit)
        sizes = [f"`{step}` {size(folder / unit / step):.2f} MB" for step in ("pages", "repeated", "documents")]
        print(f"| {name} | {cost.cpu:.1f} | {', '.join(sizes)} |")
    limits(folder / "line")
    recipe = invented(folder / "invented", options.pages)
    cost = run([sys.executable, "-c", COUNT, str(folder / "invented"), str(recipe)])
    print(f"\n{options.pages:,} pages with {options.pages * LINES_A_PAGE:,} lines in one bucket: ", end="")
    print(f"{cost.cpu:.0f} CPU s, peak memory {cost.rss / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
