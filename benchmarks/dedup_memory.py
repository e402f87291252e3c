"""Exact dedup of many rows in little memory.

    python benchmarks/dedup_memory.py [--rows 100_000_000]

Makes candidates whose keys and texts are random, every fifth a repetition, then runs the steps `unique` and `frequent`
over them in one process of its own, and prints rows per second and the peak of its memory.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
from peers import CACHE, machine, run

from allmende import recipe_file
from allmende.lake import Lake
from allmende.parts import Plan, Tally
from allmende.schema import CANDIDATES
from allmende.steps import frequent, unique
from allmende.steps.buckets import BucketWriter, bucket_count
from allmende.steps.step import Settings

ROWS_PER_PART = 500_000
RECIPE = recipe_file.loads('[dataset]\nname = "bench"\n[select]\narchives = ["none.wat.gz"]')


def texts(numbers: np.ndarray, length: int) -> pa.Array:
    """Distinct hexadecimal texts for numbers."""
    rng = np.random.default_rng(int(numbers[0]))
    head = numbers.astype(">u8").tobytes()
    tail = rng.bytes((length // 2 - 8) * len(numbers))
    rows = np.hstack([np.frombuffer(part, np.uint8).reshape(len(numbers), -1) for part in (head, tail)])
    offsets = pa.py_buffer(np.arange(0, length * (len(numbers) + 1), length, dtype=np.int32).tobytes())
    return pa.StringArray.from_buffers(len(numbers), offsets, pa.py_buffer(rows.tobytes().hex().encode()))


def make(lake: Lake, rows: int) -> None:
    """Writes the candidates."""
    buckets = bucket_count(rows)
    parts = {f"{n:05d}": {"buckets": buckets} for n in range(rows // ROWS_PER_PART)}
    step = lake.step("candidates")
    step.write_plan(Plan(step="candidates", digest="bench", parts=parts))
    for number, name in enumerate(parts):
        rng = np.random.default_rng(number)
        ids = np.arange(number * ROWS_PER_PART, (number + 1) * ROWS_PER_PART, dtype=np.uint64)
        again = rng.random(ROWS_PER_PART) < 0.2
        ids[again] = rng.integers(0, (number + 1) * ROWS_PER_PART, int(again.sum()), dtype=np.uint64)
        keys = ids * np.uint64(0x9E3779B97F4A7C15)
        columns = {
            "uid": texts(keys, 32),
            "url": texts(keys, 64),
            "caption": texts(keys, 48),
            "url_key": pa.array(keys),
            "host_key": pa.array((ids % np.uint64(1_000_003)) * np.uint64(0xC2B2AE3D27D4EB4F)),
            "caption_key": pa.array(keys ^ np.uint64(1)),
            "seen": pa.array(np.ones(ROWS_PER_PART, np.int32)),
        }
        arrays = [columns.get(f.name, pa.nulls(ROWS_PER_PART, f.type)) for f in CANDIDATES]
        with step.part(name, "bench") as part:
            with BucketWriter(str(part.file(".parquet")), buckets) as out:
                out.write(pa.Table.from_arrays(arrays, schema=CANDIDATES))
            part.commit({"candidate": Tally(ROWS_PER_PART, ROWS_PER_PART)})


def dedup(root: str) -> None:
    """The two steps, in this process."""
    lake = Lake(root)
    for step, name in ((unique, "unique"), (frequent, "frequent")):
        worker = step.Worker(Settings.encode(lake, RECIPE, "bench", 1))
        worker.run({"parts": step.plan(RECIPE, lake)})
        lake.step(name).write_plan(Plan(step=name, digest="bench", parts={}))


def main() -> None:
    """Prints a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--dedup", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.dedup:
        dedup(options.dedup)
        return
    home = CACHE / "dedup"
    shutil.rmtree(home, ignore_errors=True)
    lake = Lake(home)
    make(lake, options.rows)
    cost = run([sys.executable, __file__, "--dedup", str(home)])
    counts = lake.step("unique").counts()["candidate"]
    size = sum(f.stat().st_size for f in Path(home).rglob("*.parquet")) / 1e9
    print(f"{machine()}, {size:.1f} GB of Parquet in and out")
    print(f"{counts.seen:,} rows, {json.dumps(msgspec.to_builtins(counts.dropped))} dropped, {counts.kept:,} kept")
    print(f"{cost.wall:.0f} s, {counts.seen / cost.cpu:,.0f} rows per CPU-second, peak memory {cost.rss / 1e9:.2f} GB")
    shutil.rmtree(home)


if __name__ == "__main__":
    main()
