"""Main text of pages: F1 on three public sets with the published scores beside ours, and pages a CPU-second.

    git clone --depth 1 https://github.com/scrapinghub/article-extraction-benchmark
    git clone --depth 1 https://github.com/adbar/trafilatura
    git clone --depth 1 https://github.com/Murrough-Foley/web-content-extraction-benchmark
    python benchmarks/main_text.py FOLDER            # the folder that holds these three

Scored as each set scores itself: article-extraction-benchmark by runs of four words, trafilatura's by segments that
must and must not be there, WCXB (its dev part) by words, averaged over pages. Each page goes to our two tiers, to
trafilatura's standard mode in the version we use, and to the version that datatrove pins, called as its FineWeb
example does; the last runs in an environment of its own, made on first use. CPU time of one process, no metadata but
with ours, and without datatrove's transport between processes.

"gates" is what the text pipeline asks before the careful tier: 200 characters of cheap text, or else of prose, and its language. Pages
that pass get the careful text, so what the gates can cost is what they drop: "lost" are pages of which the careful
text has 200 characters and the same language as the recipe, and the cheap one has not.
"""

import gzip
import json
import logging
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import click
import peers
import trafilatura

from allmende.extract.charset import decode_page
from allmende.extract.main_text.careful import extract_careful
from allmende.extract.main_text.cheap import extract_cheap, extract_prose
from allmende.extract.nesting import flattened
from allmende.filters.document_language import identify

FINEWEB = """
import json, sys, time, logging
logging.disable(logging.CRITICAL)
from trafilatura import extract
for line in sys.stdin:
    pages, began = json.loads(line), time.process_time()
    texts = [extract(p, favor_precision=True, include_comments=False, deduplicate=True) or "" for p in pages]
    print(json.dumps([time.process_time() - began, texts]), flush=True)
"""
CHUNK = 20
"""Pages that one extractor gets before the next has its turn: what else runs on the machine slows all of them alike."""
MIN_CHARS, MIN_SCORE = 200, 0.65


@dataclass(frozen=True)
class PublicSet:
    """Pages and what is known about them."""

    name: str
    bodies: list[bytes]
    score: Callable[[list[str]], float]
    published: str


def article_extraction(folder: Path) -> PublicSet:
    home = folder / "article-extraction-benchmark"
    truth = json.loads((home / "ground-truth.json").read_text("utf-8"))
    bodies = [gzip.decompress((home / "html" / f"{name}.html.gz").read_bytes()) for name in truth]
    texts = [page.get("articleBody", "") for page in truth.values()]
    published = (
        "rs_trafilatura .970, trafilatura 2.0.0 .958, newspaper4k .949, readability_js .947, goose3 .896, justext .804"
    )
    return PublicSet("article-extraction-benchmark", bodies, lambda found: shingle_f1(texts, found), published)


def shingle_f1(texts: list[str], found: list[str]) -> float:
    precisions, recalls = [], []
    for text, guess in zip(texts, found, strict=True):
        true, ours = (Counter(runs(re.findall(r"\w+", one))) for one in (text, guess))
        shared = sum((true & ours).values())
        if ours:
            precisions.append(shared / ours.total())
        if true:
            recalls.append(shared / true.total())
    precision, recall = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
    return 2 * precision * recall / (precision + recall)


def runs(words: list[str]) -> Iterable[tuple[str, ...]]:
    return filter(None, (tuple(words[at : at + 4]) for at in range(max(1, len(words) - 3))))


def segments(folder: Path) -> PublicSet:
    home = folder / "trafilatura" / "tests"
    items = json.loads((home / "evaldata.json").read_text("utf-8")).values()
    paths = [
        next(home / sub / item["file"] for sub in ("cache", "eval") if (home / sub / item["file"]).is_file())
        for item in items
    ]
    published = (
        "trafilatura 2.3.1 .924 (fast .918), magic-html .889, justext .862, readability .826, resiliparse 1.0.9 .811"
    )
    return PublicSet(
        "trafilatura's evaldata",
        [path.read_bytes() for path in paths],
        lambda found: segment_f1(items, found),
        published,
    )


def segment_f1(items: Iterable[dict[str, list[str]]], found: list[str]) -> float:
    hits = wrong = missed = 0
    for item, text in zip(items, found, strict=True):
        flat = " ".join(text.split())
        there, stray = (sum(" ".join(one.split()) in flat for one in item[side]) for side in ("with", "without"))
        hits, wrong, missed = hits + there, wrong + stray, missed + len(item["with"]) - there
    return 2 * hits / (2 * hits + wrong + missed)


def wcxb(folder: Path) -> PublicSet:
    home = folder / "web-content-extraction-benchmark" / "dev"
    truth = {
        path.stem: json.loads(path.read_text("utf-8")).get("ground_truth")
        for path in sorted((home / "ground-truth").glob("*.json"))
    }
    truth = {name: found for name, found in truth.items() if isinstance(found, dict)}
    bodies = [gzip.decompress((home / "html" / f"{name}.html.gz").read_bytes()) for name in truth]
    texts = [found.get("main_content") or "" for found in truth.values()]
    published = (
        "rs-trafilatura .859, MinerU-HTML 0.6B .827, trafilatura .791, ReaderLM-v2 .741, justext .707, readability .675"
    )
    return PublicSet("WCXB dev", bodies, lambda found: word_f1(texts, found), published)


def word_f1(texts: list[str], found: list[str]) -> float:
    total = 0.0
    for text, guess in zip(texts, found, strict=True):
        true, ours = (Counter(re.findall(r"\w+", one.lower())) for one in (text, guess))
        both = true.total() + ours.total()
        total += 2 * sum((true & ours).values()) / both if both else 1.0
    return total / len(texts)


def timed(pages: list[str], extract: Callable[[str], str]) -> tuple[float, list[str]]:
    began = time.process_time()
    found = [extract(page) for page in pages]
    return time.process_time() - began, found


def start_fineweb() -> Callable[[list[str]], tuple[float, list[str]]]:
    """As datatrove's FineWeb example calls it, with the newest trafilatura that datatrove allows."""
    python = peers.peer("trafilatura-1", "trafilatura>=1.8,<1.12", "lxml_html_clean") / "python"
    process = subprocess.Popen([python, "-c", FINEWEB], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(pages: list[str]) -> tuple[float, list[str]]:
        process.stdin.write(json.dumps(pages) + "\n")
        process.stdin.flush()
        seconds, texts = json.loads(process.stdout.readline())
        return seconds, texts

    return ask


def gates(pages: list[str], cheap: list[str], careful: list[str]) -> str:
    cheap = [text if len(text) >= MIN_CHARS else extract_prose(page) for page, text in zip(pages, cheap, strict=True)]
    kept = [len(text) >= MIN_CHARS for text in cheap]
    short = sum(len(text) >= MIN_CHARS and not passed for text, passed in zip(careful, kept, strict=True))
    other = 0
    for quick, text, passed in zip(cheap, careful, kept, strict=True):
        first, last = identify(quick), identify(text)
        sure = min(first.score, last.score) >= MIN_SCORE
        other += passed and len(text) >= MIN_CHARS and sure and first.code != last.code
    return f"gates: {sum(kept)} of {len(kept)} pages pass; lost for their length {short}, for their language {other}"


def measure(public: PublicSet) -> None:
    pages = [flattened(decode_page(body, "")) for body in public.bodies]
    for page in pages[:20]:  # warms up: stop lists, regular expressions
        extract_careful(page, extract_cheap(page))
        trafilatura.extract(page, include_comments=False)
    fineweb = start_fineweb()
    fineweb(pages[:20])
    names = (
        "cheap tier",
        "careful tier",
        f"trafilatura {trafilatura.__version__}",
        "FineWeb's call (trafilatura < 1.12)",
    )
    rows: dict[str, tuple[float, list[str]]] = {name: (0.0, []) for name in names}
    for at in range(0, len(pages), CHUNK):
        chunk = pages[at : at + CHUNK]
        cheap = timed(chunk, extract_cheap)
        texts = iter(cheap[1])
        careful = timed(chunk, lambda page, texts=texts: extract_careful(page, next(texts)).text)
        standard = timed(chunk, lambda page: trafilatura.extract(page, include_comments=False) or "")
        for name, (seconds, found) in zip(names, (cheap, careful, standard, fineweb(chunk)), strict=True):
            rows[name] = rows[name][0] + seconds, rows[name][1] + found
    print(f"\n{public.name}: {len(pages)} pages. Published: {public.published}\n")
    print("| | F1 | pages/CPU-s |\n|---|---|---|")
    for name, (seconds, found) in rows.items():
        print(f"| {name} | {public.score(found):.4f} | {len(pages) / seconds:,.0f} |", flush=True)
    print(f"\n{gates(pages, rows['cheap tier'][1], rows['careful tier'][1])}", flush=True)


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path), default=peers.CACHE / "main_text")
def main(folder: Path) -> None:
    logging.disable(logging.CRITICAL)
    if not folder.is_dir():
        print(f"not measured: {folder} is missing; `python {sys.argv[0]} --help` says what goes there")
        return
    for load in (article_extraction, segments, wcxb):
        measure(load(folder))


if __name__ == "__main__":
    main()
