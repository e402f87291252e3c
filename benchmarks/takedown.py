"""How long the parts of a take-down take: the log, the screen, the delta.

python benchmarks/takedown.py --entries 1000000 --megabytes 300
"""

import argparse
import io
import os
import random
import resource
import tempfile
import time
from pathlib import Path

from allmende.maintain.delta import pack, unpack
from allmende.safety.keys import Signer, make_key
from allmende.safety.tombstones import Log, first_line, next_lines
from allmende.safety.veil import Veil
from allmende.steps.tombstone_screen import Tombstones, any_of


def timed(what, count, unit, work):
    began = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"{what:<34} {seconds:8.2f} s  {count / seconds:14,.0f} {unit}/s   peak {peak:6.0f} MB", flush=True)
    return result


def log(entries):
    veil, signer = Veil(os.urandom(32)), Signer(make_key(), "key")
    names = (
        (
            kind,
            veil.veiled(kind, f"https://a{n}.example/")
            if kind == "url"
            else veil.veiled("phash", os.urandom(32).hex()),
        )
        for n in range(entries)
        for kind in (("phash",) if n % 10 == 0 else ("url",))
    )
    values = timed("hash values", entries, "values", lambda: list(names))
    begin = first_line(veil, signer)
    args = (Log(io.BytesIO(begin), "log"), values, "other", veil.ticket("T"), "2026-11-22T00:00:00Z", signer)
    content = begin + timed("append, signed", entries, "entries", lambda: next_lines(*args))
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        read = timed("read: chain, last signature", entries, "entries", lambda: Log(file, "log"))
    found = timed("make the screen", entries, "entries", lambda: Tombstones(read.hashes, veil))
    urls = [f"https://b{n % 5000}.example/{n}.jpg" for n in range(100_000)]
    uids = [f"{n:032x}" for n in range(100_000)]
    timed("screen rows", len(urls), "rows", lambda: any_of(found.rows(urls, uids)))
    pictures = [os.urandom(32).hex() for _ in range(5_000)]
    digests, quality = ["0" * 64] * len(pictures), [100] * len(pictures)
    timed("screen files", len(pictures), "files", lambda: any_of(found.files(digests, pictures, quality)))


def shard(megabytes):
    rng = random.Random(1)
    images = [rng.randbytes(30_000) for _ in range(megabytes * 33)]
    gone = set(rng.sample(range(len(images)), max(1, len(images) // 500)))
    with tempfile.TemporaryDirectory() as folder:
        old, new = Path(folder) / "old", Path(folder) / "new"
        old.write_bytes(b"".join(images))
        new.write_bytes(b"".join(image for number, image in enumerate(images) if number not in gone))
        del images
        with old.open("rb") as before, new.open("rb") as after:
            sizes = old.stat().st_size, new.stat().st_size
            pieces = timed(
                "pack a shard (MB)", sizes[1] / 1e6, "MB", lambda: list(pack(after, sizes[1], before, sizes[0]))
            )
            timed("unpack it (MB)", sizes[1] / 1e6, "MB", lambda: [len(unpack(p, c, before)) for p, c in pieces])
        print(f"{len(gone)} of {sizes[0] // 30_000} images gone: a patch of {sum(p.packed for p, _ in pieces):,} bytes")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--megabytes", type=int, default=300)
    options = parser.parse_args()
    shard(options.megabytes)
    log(options.entries)
