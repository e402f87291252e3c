"""Kills builds with SIGKILL at random moments and compares what comes out with a build that nobody disturbed.

    python tools/kill_build.py --kills 50 --urls 3000

A loopback server answers most URLs with pictures and some with trouble. Every dataset is killed several times, at moments drawn
over the length of an undisturbed build; then the same command runs to its end. Every file must be the same, clock
readings aside. Prints a line for each dataset, and ends with 1 at the first difference.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from allmende.testing.compare import fingerprint

PATHS = ("/ok/{n}",) * 8 + ("/missing/{n}", "/redirect?to=/ok/{n}", "/html/{n}", "/robots/{n}?tag=noai", "/cut/{n}")
HOSTS = 8


@contextmanager
def server() -> Iterator[str]:
    """Runs the misbehaving server in a process of its own; its URL."""
    command = [sys.executable, "-m", "allmende.testing.server", str(HOSTS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.stdin.close()


def write_urls(path: Path, url: str, count: int) -> None:
    """A table of URLs on all hosts, a dozen with several captions."""
    port = url.rsplit(":", 1)[1]
    urls = [
        f"http://127.0.0.{n % HOSTS + 1}:{port}{PATHS[n % len(PATHS)].format(n=n % (count - 12))}" for n in range(count)
    ]
    pq.write_table(pa.table({"url": urls, "caption": [f"picture number {n}" for n in range(count)]}), path)


def command(urls: Path, out: Path, url: str) -> list[str]:
    """The build."""
    settings = {
        "fetch.ports": f"[{url.rsplit(':', 1)[1]}]",
        "fetch.allow_addresses": '["127.0.0.0/8"]',
        "fetch.part_size": "100",
        "fetch.per_host": "16",
        "fetch.retries": "0",
        "fetch.host_failures": "1000000",
        "publish.shard_size": "400",
    }
    flags = [item for key, value in settings.items() for item in ("--set", f"{key}={value}")]
    program = Path(sys.executable).parent / "allmende"
    return [str(program), "fetch", str(urls), "--to", str(out), *flags]


def build(line: list[str]) -> None:
    """Runs it to the end."""
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"the build ended with {done.returncode}:\n{done.stderr[-3000:]}")


def kill_after(line: list[str], seconds: float, *, group: bool) -> bool:
    """Starts the build and kills it (or it and all it started); False if it was over before."""
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        (os.killpg if group else os.kill)(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


def main() -> None:
    """Kills, compares, tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--urls", type=int, default=3000)
    parser.add_argument("--each", type=int, default=5, help="kills of one dataset")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    home = Path(tempfile.mkdtemp(prefix="kill-"))
    with server() as url:
        urls = home / "urls.parquet"
        write_urls(urls, url, options.urls)
        began = time.monotonic()
        line = command(urls, home / "out", url)
        build(line)
        length = time.monotonic() - began
        expected = fingerprint(home / "out")
        print(f"undisturbed: {length:.1f} s, {len(expected)} files", flush=True)
        kills = 0
        while kills < options.kills:
            shutil.rmtree(home / "out")
            moments = []
            for number in range(options.each):
                moment = rng.uniform(0.3, length)
                if kill_after(line, moment, group=number % 2 == 0):
                    moments.append(moment)
            build(line)
            found = fingerprint(home / "out")
            kills += len(moments)
            print(
                f"killed after {', '.join(f'{m:.1f}' for m in moments)} s: {'same' if found == expected else 'DIFFERENT'}",
                flush=True,
            )
            if found != expected:
                odd = [n for n in sorted(expected.keys() | found.keys()) if expected.get(n) != found.get(n)]
                sys.exit(f"{home}: {odd[:20]}")
    shutil.rmtree(home)
    print(f"{kills} kills, no difference")


if __name__ == "__main__":
    main()
