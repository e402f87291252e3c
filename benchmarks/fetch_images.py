"""URL list → WebDataset: `allmende fetch` beside img2dataset, on the same images from the same local nginx.

    python benchmarks/fetch_images.py [--images 4000] [--runs 3]

256 px, keep_ratio, JPEG quality 95, only if bigger, both. img2dataset runs with as many processes as there are cores and the
thread count that served it best here. Three servers: a fast one; one that answers after 100 ms; and one where 5 % of the
hosts are dead (they accept no connection) and 5 % drip.

Needs nginx with the echo module (Debian: nginx-light, libnginx-mod-http-echo).
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from peers import CACHE, Cost, machine, peer, run

HOSTS = 100
"""Loopback addresses the URLs are spread over, as a real list is spread over hosts."""


@contextlib.contextmanager
def nginx(images: Path) -> Iterator[tuple[int, int]]:
    """Serves the folder on all loopback addresses: a plain port, and one that answers after 100 ms."""
    plain, late = free_port(), free_port()
    home = Path(tempfile.mkdtemp(prefix="nginx-"))
    (home / "conf").write_text(
        f"""
load_module /usr/lib/nginx/modules/ngx_http_echo_module.so;
worker_processes 1; pid {home}/pid; error_log {home}/error.log; daemon off; user root;
events {{ worker_connections 8192; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000;
  types {{ image/jpeg jpg; }}
  server {{ listen {plain} backlog=4096; root {images}; }}
  server {{ listen {late} backlog=4096; root {images};
    location / {{ echo_sleep 0.1; echo_exec /now$uri; }}
    location /now/ {{ internal; alias {images}/; }} }}
}}"""
    )
    process = subprocess.Popen(["nginx", "-c", home / "conf", "-p", home], stderr=subprocess.DEVNULL)
    try:
        wait_for(plain)
        yield plain, late
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        shutil.rmtree(home)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    """Returns once somebody listens."""
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        threading.Event().wait(0.05)
    sys.exit("nginx did not start; is nginx-light installed?")


@contextlib.contextmanager
def sick_hosts(body: bytes) -> Iterator[tuple[int, int]]:
    """A port whose hosts are dead (the queue is full, nobody accepts) and one whose hosts drip."""
    dead = socket.socket()
    dead.bind(("0.0.0.0", 0))
    dead.listen(0)
    first = socket.create_connection(("127.0.0.1", dead.getsockname()[1]))  # Linux has room for it in a queue of none
    loop = asyncio.new_event_loop()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(body))
                for begin in range(0, len(body), len(body) // 4 + 1):
                    writer.write(body[begin : begin + len(body) // 4 + 1])
                    await writer.drain()
                    await asyncio.sleep(1)

    server = loop.run_until_complete(asyncio.start_server(drip, "0.0.0.0", 0, backlog=1000))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield dead.getsockname()[1], server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        first.close()
        dead.close()


def write_urls(path: Path, names: list[str], ports: list[int]) -> None:
    """A table of URLs, the i-th host at ports[i]."""
    urls = [f"http://127.0.1.{i % HOSTS + 1}:{ports[i % HOSTS]}/{name}" for i, name in enumerate(names)]
    pq.write_table(pa.table({"url": urls, "caption": [f"picture {i}" for i in range(len(urls))]}), path)


def allmende(urls: Path, out: Path, ports: list[int]) -> tuple[Cost, int]:
    """Cost, and images in the dataset."""
    settings = {
        "fetch.ports": json.dumps(sorted(set(ports))),
        "fetch.allow_addresses": '["127.0.0.0/8"]',
        "fetch.per_host": "16",
    }
    flags = [item for name, value in settings.items() for item in ("--set", f"{name}={value}")]
    program = Path(sys.executable).parent / "allmende"
    cost = run([str(program), "fetch", str(urls), "--to", str(out), "--contact", "bench@example.org", "--json", *flags])
    kept = sum(json.loads(p.read_text())["counts"]["sample"]["kept"] for p in out.glob("release/shards/part-*.json"))
    return cost, kept


def img2dataset(urls: Path, out: Path, threads: int) -> tuple[Cost, int]:
    """Cost, and images in the dataset."""
    program = peer("img2dataset", "img2dataset==1.47.0") / "img2dataset"
    flags = {
        "url_list": urls,
        "output_folder": out,
        "input_format": "parquet",
        "url_col": "url",
        "caption_col": "caption",
        "output_format": "webdataset",
        "processes_count": os.cpu_count(),
        "thread_count": threads,
        "image_size": 256,
        "resize_mode": "keep_ratio",
        "resize_only_if_bigger": True,
        "number_sample_per_shard": 1000,
        "enable_wandb": False,
    }
    cost = run([str(program), *(f"--{k}={v}" for k, v in flags.items())], NO_ALBUMENTATIONS_UPDATE="1")
    kept = sum(json.loads(p.read_text())["successes"] for p in out.glob("*_stats.json"))
    return cost, kept


def compare(name: str, names: list[str], ports: list[int], runs: int, threads: int) -> str:
    """Runs both in turn and returns a row of the table."""
    urls = CACHE / "urls.parquet"
    write_urls(urls, names, ports)
    wall, cpu, ours_all, theirs_all = [], [], [], []
    for _ in range(runs):
        results = []
        for tool in (lambda out: allmende(urls, out, ports), lambda out: img2dataset(urls, out, threads)):
            out = CACHE / "out"
            shutil.rmtree(out, ignore_errors=True)
            results.append(tool(out))
        (ours, kept), (theirs, kept_theirs) = results
        print(name, kept, ours, kept_theirs, theirs, file=sys.stderr)
        ours_all.append((kept / ours.wall, kept / ours.cpu))
        theirs_all.append((kept_theirs / theirs.wall, kept_theirs / theirs.cpu))
        wall.append(ours_all[-1][0] / theirs_all[-1][0])
        cpu.append(ours_all[-1][1] / theirs_all[-1][1])
    middle = statistics.median
    mine = f"{middle(w for w, _ in ours_all):.0f} | {middle(c for _, c in ours_all):.0f}"
    peers = f"{middle(w for w, _ in theirs_all):.0f} | {middle(c for _, c in theirs_all):.0f}"
    return f"| {name} | {mine} | {peers} | **{middle(wall):.1f}×** | **{middle(cpu):.1f}×** |"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=64, help="of img2dataset, per process")
    parser.add_argument("--only", choices=["fast", "late", "sick"])
    options = parser.parse_args()
    images = CACHE / "images"
    maker = Path(__file__).parent / "make_images.py"
    subprocess.run([sys.executable, maker, images, str(options.images)], check=True)
    names = sorted(p.name for p in images.iterdir() if p.suffix == ".jpg")[: options.images]
    size = statistics.mean((images / name).stat().st_size for name in names)
    print(f"{len(names)} images of {size / 1000:.0f} KB on average, {HOSTS} hosts. {machine()}\n")
    print("| server | Allmende img/s | per CPU-s | img2dataset img/s | per CPU-s | ratio | ratio per CPU-s |")
    print("|---|---|---|---|---|---|---|", flush=True)
    with nginx(images) as (plain, late), sick_hosts((images / names[0]).read_bytes()) as (dead, drip):
        sick = [plain] * HOSTS
        sick[::20], sick[1::20] = [dead] * (HOSTS // 20), [drip] * (HOSTS // 20)
        servers = {"fast": [plain] * HOSTS, "late": [late] * HOSTS, "sick": sick}
        titles = {"fast": "fast", "late": "100 ms latency", "sick": "5 % dead, 5 % slow hosts"}
        for key, ports in servers.items():
            if options.only in {None, key}:
                print(compare(titles[key], names, ports, options.runs, options.threads), flush=True)


if __name__ == "__main__":
    main()
