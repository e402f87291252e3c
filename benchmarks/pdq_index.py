"""How fast a list of a million PDQ hashes is searched, against comparing with all and against faiss-cpu (if installed).

python benchmarks/pdq_index.py            # goal: 100,000 images a minute on one core
"""

import argparse
import importlib.util
import json
import time

import numpy as np

from allmende.safety.pdq_index import MAX_DISTANCE, PdqIndex

GOAL = 100_000
"""Images a minute, on one core."""


def hashes(count, crowded, rng):
    """Random hashes; a share of them crowds around a few pictures, as in lists of real ones."""
    made = rng.integers(0, 2**64, (count, 4), dtype=np.uint64)
    crowd = int(count * crowded)
    centres = made[-100:]
    noise = rng.integers(0, 2**64, (4, crowd, 4), dtype=np.uint64)
    made[:crowd] = centres[rng.integers(0, 100, crowd)] ^ (noise[0] & noise[1] & noise[2] & noise[3])
    return made


def with_flips(entries, rng):
    """Each hash with 0 to 40 bits changed."""
    bits = np.unpackbits(np.ascontiguousarray(entries).view(np.uint8).reshape(-1, 32), axis=1)
    for row, flips in zip(bits, rng.integers(0, 41, len(bits)), strict=True):
        row[rng.permutation(256)[:flips]] ^= 1
    return np.packbits(bits, axis=1).view(np.uint64).reshape(-1, 4)


def brute_force(entries, queries):
    """Distance to the nearest entry."""
    return np.array([np.bitwise_count(entries ^ query).sum(axis=1, dtype=np.int64).min() for query in queries])


def seconds(work):
    begin = time.process_time()
    work()
    return time.process_time() - begin


def measure_ours(index, queries):
    one_by_one = seconds(lambda: [index.nearest(query[None]) for query in queries[:2000]]) / min(2000, len(queries))
    return {
        "one at a time, us": round(one_by_one * 1e6, 1),
        "all at once, us": round(seconds(lambda: index.nearest(queries)) / len(queries) * 1e6, 1),
        "images a minute": round(60 / one_by_one),
        "MB": round(index.memory / 1e6),
    }


def measure_faiss(entries, queries):
    import faiss

    faiss.omp_set_num_threads(1)
    raw, asked = (np.ascontiguousarray(values).view(np.uint8).reshape(-1, 32) for values in (entries, queries[:500]))
    flat, multi = faiss.IndexBinaryFlat(256), faiss.IndexBinaryMultiHash(256, 16, 16)
    multi.nflip = 1
    found = {}
    for name, index in {"flat": flat, "multi-hash 16 x 16": multi}.items():
        built = seconds(lambda index=index: index.add(raw))
        searched = seconds(lambda index=index: index.range_search(asked, MAX_DISTANCE + 1)) / len(asked)
        found[f"faiss {name}"] = {
            "build, s": round(built, 2),
            "us": round(searched * 1e6, 1),
            "images a minute": round(60 / searched),
        }
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=20_000)
    parser.add_argument("--crowded", type=float, default=0.0, help="Share of entries around 100 pictures.")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    entries = hashes(options.entries, options.crowded, rng)
    near = with_flips(entries[rng.integers(0, len(entries), options.queries // 10)], rng)
    queries = np.concatenate((near, rng.integers(0, 2**64, (options.queries - len(near), 4), dtype=np.uint64)))
    rng.shuffle(queries)
    begin = time.process_time()
    index = PdqIndex(entries)
    report = {"entries": len(entries), "queries": len(queries), "build, s": round(time.process_time() - begin, 2)}
    report["allmende"] = measure_ours(index, queries)
    sample = queries[:100]
    truth = brute_force(entries, sample)
    report["comparing with all, us"] = round(seconds(lambda: brute_force(entries, sample)) / len(sample) * 1e6)
    _, bits = index.nearest(sample)
    report["same answers"] = bool((np.where(truth <= MAX_DISTANCE, truth, 257) == bits).all())
    if importlib.util.find_spec("faiss"):
        report |= measure_faiss(entries, queries)
    report["goal reached"] = report["allmende"]["images a minute"] >= GOAL
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
