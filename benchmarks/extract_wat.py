"""WAT files to candidates, against cc2dataset: one process and one file, then the whole job with dedup.

    python benchmarks/extract_wat.py [kernel] [job]

kernel: CPU seconds of one process for one WAT of 135 MB (uncompressed), the peer's `process_wat` and ours in turn, the
best of seven each. The peer yields tuples (uid, url, alt, file, page). Ours makes an Arrow table in `schema.CANDIDATES`
with a judge that takes the first words: also og:image and its kin, page facts, offsets and lengths, three bucket keys.

job: wall seconds for eight such files on all cores. The peer: `process_wat`, `dropDuplicates` and write, on local
Spark. Ours: the steps candidates and unique of a build, with the same judge and no search for personal data,
and with what builds do by default.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import archive_inputs
import peers

FILES, MEGABYTES, TURNS = 8, 135, 7
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # as `allmende` on the command line does, here and below
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
PEER = ("cc2dataset==1.5.0", "fastwarc<2", "pysimdjson", "pyspark==3.5.*", "setuptools<80")

PEER_KERNEL = """
import sys, time
from loguru import logger
logger.remove()
from cc2dataset.main import process_wat
list(process_wat(sys.argv[1], "image"))
began = time.process_time()
rows = len(list(process_wat(sys.argv[1], "image")))
print(time.process_time() - began, rows)
"""

OUR_JUDGE = """
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from allmende.extract.judge import Verdicts

def first_words(links):
    places = ("alt", "figcaption", "title", "aria_label", "og", "json_ld")
    places = [place for place in places if place in links.schema.names]
    caption = pc.coalesce(*(links[place] for place in places))
    first = np.zeros(len(links), np.int8)
    for number in reversed(range(len(places))):
        first[links[places[number]].is_valid()] = number
    return Verdicts(
        caption,
        pa.array(places).take(pa.array(first)),
        pa.repeat("und", len(links)),
        pa.repeat(pa.scalar(0, pa.float32()), len(links)),
        pc.if_else(caption.is_null(), "no_caption", None),
    )
"""

OUR_KERNEL = (
    OUR_JUDGE
    + """
import sys, time
from allmende.extract.candidates import candidate_batches
from allmende.extract.wat_images import pages_from_wat

def work(path):
    with open(path, "rb") as file:
        return sum(len(batch.kept) for batch in candidate_batches(pages_from_wat(file), first_words, "CC-MAIN-2026-43"))

work(sys.argv[1])
began = time.process_time()
rows = work(sys.argv[1])
print(time.process_time() - began, rows)
"""
)

PEER_JOB = """
import os, sys
os.environ["PYSPARK_PYTHON"] = sys.executable
from cc2dataset.main import deduplicate_repartition_count, process_wat
from cc2dataset.spark_session_builder import build_spark_session
from pyspark import SparkContext
out, files = sys.argv[1], sys.argv[2:]
spark = build_spark_session("local", os.cpu_count(), 6)
rdd = SparkContext.getOrCreate().parallelize(files, len(files))
df = rdd.mapPartitions(lambda part: process_wat(list(part)[0], "image")).toDF(["uid", "url", "alt", "cc_filename", "page_url"])
deduplicate_repartition_count(df, out, len(files), spark)
"""

OUR_JOB = (
    OUR_JUDGE
    + """
import os, sys
from allmende.steps import candidates
from allmende.steps.candidates import plan  # a step is a module with a plan and a Worker

class Worker(candidates.Worker):
    def __init__(self, settings):
        super().__init__(settings)
        self.judge = first_words

if __name__ == "__main__":
    from dataclasses import replace
    from allmende.building import run_step
    from allmende.engine import Engine, spare_pandas
    from allmende.lake import Lake
    from allmende.progress import Silent
    from allmende.recipe import Dataset, Recipe, Safety, Select
    from allmende.steps.order import CANDIDATES, UNIQUE

    spare_pandas()
    out, rules, *files = sys.argv[1:]
    safety = Safety(replace_personal=rules == "rules")
    recipe = Recipe(dataset=Dataset(name="bench"), select=Select(archives=tuple(files)), safety=safety)
    first = CANDIDATES if rules == "rules" else replace(CANDIDATES, module="our_job")
    engine = Engine()
    engine.start()
    for step in (first, UNIQUE):
        run_step(Lake(out), step, recipe, engine, Silent())
    os._exit(0)
"""
)


def kernel(path: Path, peer: Path) -> None:
    """Prints the table for one process."""
    sides = {"cc2dataset `process_wat`": (peer / "python", PEER_KERNEL), "allmende": (sys.executable, OUR_KERNEL)}
    best: dict[str, tuple[float, int]] = {}
    for _ in range(TURNS):
        for name, (python, code) in sides.items():
            seconds, rows = subprocess.check_output([python, "-c", code, str(path)], text=True).split()
            best[name] = min(best.get(name, (1e9, 0)), (float(seconds), int(rows)))
    slowest = max(seconds for seconds, _ in best.values())
    print("| one process | CPU seconds | candidates | times as fast |\n|---|---|---|---|")
    for name, (seconds, rows) in best.items():
        print(f"| {name} | {seconds:.3f} | {rows:,} | {slowest / seconds:.2f} |")


def job(paths: list[Path], peer: Path) -> None:
    """Prints the table for the whole job."""
    files = [str(path) for path in paths]
    walls = {}
    with tempfile.TemporaryDirectory(dir=peers.CACHE) as folder:
        theirs, ours = Path(folder) / "peer_job.py", Path(folder) / "our_job.py"
        theirs.write_text(PEER_JOB)
        ours.write_text(OUR_JOB)
        for name, command in {
            "cc2dataset on local Spark": [peer / "python", theirs, f"{folder}/a", *files],
            "allmende, the same work": [sys.executable, ours, f"{folder}/b", "none", *files],
            "allmende, with all caption rules and languages": [sys.executable, ours, f"{folder}/c", "rules", *files],
        }.items():
            walls[name] = peers.run([str(part) for part in command], PYTHONPATH=folder).wall
    slowest = max(walls.values())
    print("\n| whole job with dedup | wall seconds | times as fast |\n|---|---|---|")
    for name, wall in walls.items():
        print(f"| {name} | {wall:.1f} | {slowest / wall:.1f} |")


def main() -> None:
    """Makes the inputs, measures, prints Markdown."""
    wanted = sys.argv[1:] or ["kernel", "job"]
    peers.CACHE.mkdir(parents=True, exist_ok=True)
    pages = archive_inputs.sources(peers.CACHE)
    paths = archive_inputs.write_wats(peers.CACHE / "wat", pages, FILES, MEGABYTES)
    peer = peers.peer("cc2dataset", *PEER)
    print(f"{FILES} WAT files of {MEGABYTES} MB. {peers.machine()}\n")
    if "kernel" in wanted:
        kernel(paths[0], peer)
    if "job" in wanted:
        job(paths, peer)


if __name__ == "__main__":
    main()
