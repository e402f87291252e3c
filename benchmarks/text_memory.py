"""Whether memory grows with the number of archives: peak memory of a build of text from 1 and from 20 WARC files.

    python benchmarks/text_memory.py [--pages 2000]

Archives are made: pages in four languages, three of which are kept, with duplicates among them. One worker and its extractor;
every tenth of a second the memory of all processes of the build is added up (proportional set size), and the peak is printed.
"""

import argparse
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

from memory import family, memory
from peers import CACHE, machine

from allmende.testing.text_pages import text_archive

RECIPE = """
[dataset]
name = "set"
kind = "text"
output = "{output}"
[select]
archives = ["{archives}"]
[text]
languages = ["de", "fr", "pl"]
"""


def measure(home: Path, archives: str, name: str) -> str:
    """Builds, and watches."""
    recipe = home / f"{name}.toml"
    recipe.write_text(RECIPE.format(output=home / name, archives=home / archives))
    began, peak, over = time.monotonic(), 0, threading.Event()
    command = [sys.executable, "-m", "allmende", "build", str(recipe), "--workers", "1", "--json"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, sum(memory(pid)[0] for pid in family(process.pid)))
            over.wait(0.1)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return f"{time.monotonic() - began:,.0f} s, peak {peak / 1e6:,.0f} MB"


def main() -> None:
    """Makes archives, builds twice, tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=2_000)
    options = parser.parse_args()
    home = CACHE / "text_memory"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    for number in range(20):
        (home / f"{number:02d}.warc.gz").write_bytes(text_archive(number, options.pages).to_bytes())
    print(f"{machine()}\n\n| archives | pages | build |\n|---:|---:|---|")
    for archives, name, count in (("00.warc.gz", "one", 1), ("*.warc.gz", "twenty", 20)):
        print(f"| {count} | {count * options.pages:,} | {measure(home, archives, name)} |", flush=True)


if __name__ == "__main__":
    main()
