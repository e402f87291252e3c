"""Clusters of many documents in little memory, and against datatrove's stages 2 and 3 on the same signatures.

    python benchmarks/near_memory.py [--documents 10_000_000] [--compared 200_000]

Signatures are drawn, 14 bands of 64 bits: 60 % of the documents have no near-duplicate, 33 % are in clusters of 2 to 60, 5 % in
one, and 2 % in a chain, each near to the next one only. Which documents are together is known, and checked.

The bands lie in files, one each. Clustering is a process of its own: seconds from reading to labels, and the peak of its
memory. datatrove reads its own format, sorted as its stage 1 leaves it; both count CPU seconds of one process, imports
excluded.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from peers import CACHE, machine, peer, run

BANDS = 14
ROWS = 8
FILES = 8
DATATROVE = ("datatrove==0.10.1", "spacy==3.8.18", "regex", "tokenizers", "xxhash")
SHARES = (0.60, 0.93, 0.98)
"""Up to here alone, in small clusters, in the large one; the rest is the chain."""

OURS = """
import json, sys, time
import numpy as np
from pathlib import Path
from allmende.dedup.clusters import Buckets, cluster
folder, count, bands = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
wall, began = time.perf_counter(), time.process_time()
labels = cluster(count, bands, lambda band: Buckets(np.fromfile(folder / f"{band}.u64", np.uint64)))
np.save(folder / "labels.npy", labels)
print(json.dumps([time.perf_counter() - wall, time.process_time() - began]))
"""

THEIRS = """
import json, sys, time
from pathlib import Path
from loguru import logger
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets, MinhashDedupCluster
from datatrove.utils.hashing import HashConfig
logger.remove()
folder, bands = Path(sys.argv[1]), int(sys.argv[2])
config = MinhashConfig(hash_config=HashConfig(hash_fc="sha1", precision=64), num_buckets=bands, hashes_per_bucket=8)
began = time.process_time()
buckets = MinhashDedupBuckets(str(folder / "sigs"), str(folder / "dups"), config=config, lines_to_buffer=1000)
for rank in range(bands):
    buckets.run(rank=rank, world_size=bands)
middle = time.process_time()
MinhashDedupCluster(str(folder / "dups"), str(folder / "out"), config=config, save_cluster_id=True, lines_to_buffer=1000).run()
print(json.dumps([middle - began, time.process_time() - middle]))
"""


def groups(count: int, rng: np.random.Generator) -> np.ndarray:
    """For each document the number of its group, in random order. The chain is group 0, the large cluster 1."""
    ends = [round(share * count) for share in SHARES]
    wanted = rng.integers(2, 61, count // 50 + 100)
    small = np.repeat(np.arange(len(wanted)), wanted)[: ends[1] - ends[0]] + count
    return rng.permutation(
        np.concatenate([np.arange(2, ends[0] + 2), small, np.ones(ends[2] - ends[1]), np.zeros(count - ends[2])])
    ).astype(np.int64)


def band(number: int, group: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Hashes of 61 bits. In one band, its own, a whole cluster agrees; in the others half of it does."""
    hashes = rng.integers(0, 1 << 60, len(group), dtype=np.uint64)
    common = (group > 0) & ((group % BANDS == number) | (rng.random(len(group)) < 0.5))
    common_hash = (group.astype(np.uint64) * np.uint64(BANDS) + np.uint64(number)) * np.uint64(0x9E3779B97F4A7C15)
    hashes[common] = common_hash[common] >> np.uint64(3)
    chain = np.random.default_rng(0).permutation(np.flatnonzero(group == 0))  # numbers that rise would be too easy
    for link in range(number, len(chain) - 1, BANDS):
        hashes[chain[link + 1]] = hashes[chain[link]]
    return hashes


def make(folder: Path, count: int) -> np.ndarray:
    """Writes the bands; returns the label that each document should get."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    group = groups(count, np.random.default_rng(0))
    for number in range(BANDS):
        band(number, group, np.random.default_rng(number + 1)).tofile(folder / f"{number}.u64")
    first = np.full(int(group.max()) + 1, count, np.int64)
    np.minimum.at(first, group, np.arange(count))
    return first[group]


def write_theirs(folder: Path, count: int) -> None:
    """The same as signature files: eight numbers made of each hash, and the document's number in its file, sorted."""
    size = -(-count // FILES)
    for number in range(BANDS):
        hashes = np.fromfile(folder / f"{number}.u64", np.uint64)
        target = folder / "sigs" / f"bucket_{number:03d}"
        target.mkdir(parents=True)
        for file in range(FILES):
            some = hashes[file * size : (file + 1) * size]
            records = np.zeros(len(some), [(f"v{row}", "<u8") for row in range(ROWS)] + [("doc", "<u4")])
            for row in range(ROWS):
                records[f"v{row}"] = some ^ np.uint64(row)
            records["doc"] = np.arange(len(some))
            records[np.lexsort((records["doc"], some))].tofile(target / f"{file:05d}.minhash.sig")


def their_labels(folder: Path, count: int) -> np.ndarray:
    """The smallest document of each of their clusters."""
    size = -(-count // FILES)
    cluster_of = -np.ones(count, np.int64)
    for path in (folder / "out").glob("*.clusters"):
        pairs = np.fromfile(path, "<u4").reshape(-1, 2).astype(np.int64)
        cluster_of[int(path.stem) * size + pairs[:, 0]] = pairs[:, 1]
    first = np.full(int(cluster_of.max()) + 1, count, np.int64)
    inside = np.flatnonzero(cluster_of >= 0)
    np.minimum.at(first, cluster_of[inside], inside)
    labels = np.arange(count)
    labels[inside] = first[cluster_of[inside]]
    return labels


def compare(folder: Path, count: int) -> None:
    """Prints a table."""
    expected = make(folder, count)
    write_theirs(folder, count)
    python = peer("datatrove-near", *DATATROVE) / "python"
    second, third = json.loads(subprocess.check_output([python, "-c", THEIRS, folder, str(BANDS)]).splitlines()[-1])
    _, ours = json.loads(subprocess.check_output([sys.executable, "-c", OURS, folder, str(count), str(BANDS)]))
    labels = np.load(folder / "labels.npy")
    same = np.array_equal(labels, their_labels(folder, count)) and np.array_equal(labels, expected)
    print(f"\n| {count:,} documents | CPU seconds | |\n|---|---|---|")
    print(f"| datatrove, buckets + cluster | {second:.1f} + {third:.1f} | 1 × |")
    print(f"| Allmende | {ours:.2f} | {(second + third) / ours:.0f} × |")
    print(f"\nThe same clusters: {'yes' if same else 'NO'}.")


def main() -> None:
    """Prints a paragraph and a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=10_000_000)
    parser.add_argument("--compared", type=int, default=200_000)
    options = parser.parse_args()
    folder = CACHE / "near"
    print(machine())
    expected = make(folder, options.documents)
    cost = run([sys.executable, "-c", OURS, str(folder), str(options.documents), str(BANDS)])
    wall, cpu = json.loads((CACHE / "last.log").read_text())
    right = "as planted" if np.array_equal(np.load(folder / "labels.npy"), expected) else "NOT AS PLANTED"
    print(
        f"\n{options.documents:,} documents, {len(np.unique(expected)):,} clusters, {right}: {wall:.0f} s, "
        f"{cpu:.0f} CPU-s, peak memory {cost.rss / 1e9:.2f} GB"
    )
    compare(folder, options.compared)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
