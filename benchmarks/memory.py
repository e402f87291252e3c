"""Whether memory grows with the job: peak memory of `allmende fetch` for 10,000 and for 100,000 URLs.

    python benchmarks/memory.py [--small 10000] [--large 100000]

The images are those of fetch_images.py, each under many URLs. Every tenth of a second the memory of all processes of the
build is added up (proportional set size, so that shared pages count once); the peak is printed. That size counts libraries,
and of these only the part that falls to the build: it is larger while nobody else on the machine runs the same ones. What the
processes allocated themselves does not depend on others, so its peak stands beside.
"""

import argparse
import json
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from fetch_images import HOSTS, nginx
from peers import CACHE, machine


def family(root: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, queue = [], [root]
    while queue:
        found.append(queue.pop())
        queue += children.get(found[-1], [])
    return found


def memory(pid: int) -> tuple[int, int]:
    """Proportional set size in bytes, and how much of it the process allocated itself; 0 if the process is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return 0, 0
    sizes = {name: int(size.split()[0]) * 1024 for name, _, size in (line.partition(":") for line in lines)}
    return sizes.get("Pss", 0), sizes.get("Pss_Anon", 0) + sizes.get("Pss_Shmem", 0)


def measure(names: list[str], count: int, port: int) -> str:
    """A row of the table."""
    urls = CACHE / "urls.parquet"
    links = [f"http://127.0.1.{i % HOSTS + 1}:{port}/{names[i % len(names)]}?{i}" for i in range(count)]
    pq.write_table(pa.table({"url": links, "caption": [f"picture {i}" for i in range(count)]}), urls)
    out = CACHE / "out"
    shutil.rmtree(out, ignore_errors=True)
    settings = {"fetch.ports": f"[{port}]", "fetch.allow_addresses": '["127.0.0.0/8"]', "fetch.per_host": "16"}
    flags = [item for name, value in settings.items() for item in ("--set", f"{name}={value}")]
    program = Path(sys.executable).parent / "allmende"
    began = time.monotonic()
    process = subprocess.Popen(
        [program, "fetch", urls, "--to", out, "--contact", "bench@example.org", "--json", *flags],
        stdout=subprocess.DEVNULL,
    )
    peak = allocated = largest = 0
    over = threading.Event()
    while process.poll() is None:
        sizes = [memory(pid) for pid in family(process.pid)]
        totals, own = zip(*sizes, strict=True)
        peak, allocated, largest = max(peak, sum(totals)), max(allocated, sum(own)), max(largest, *totals)
        over.wait(0.1)
    wall = time.monotonic() - began
    kept = sum(json.loads(p.read_text())["counts"]["sample"]["kept"] for p in out.glob("samples/part-*.json"))
    sizes_mb = " | ".join(f"{size / 1e6:.0f} MB" for size in (peak, allocated, largest))
    return f"| {count:,} | {kept:,} | {wall:.0f} s | {kept / wall:.0f} | {sizes_mb} |"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=100_000)
    options = parser.parse_args()
    images = CACHE / "images"
    subprocess.run([sys.executable, Path(__file__).parent / "make_images.py", images, "4000"], check=True)
    names = sorted(p.name for p in images.iterdir() if p.suffix == ".jpg")
    print(machine() + "\n")
    print(
        "| URLs | images | wall | images/s | all processes | of it allocated | largest process |\n"
        "|---|---|---|---|---|---|---|",
        flush=True,
    )
    with nginx(images) as (port, _):
        for count in (options.small, options.large):
            print(measure(names, count, port), flush=True)


if __name__ == "__main__":
    main()
