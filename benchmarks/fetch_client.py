"""The HTTP client alone: ours, its library bare, and the other clients that were candidates, on the same local nginx.

    python benchmarks/fetch_client.py                 # requests per second and CPU per image, for each client
    python benchmarks/fetch_client.py --memory        # peak memory of ours at 10,000 and at 100,000 URLs

134 KB a body on average, 64 requests at once, one process. `new` closes the connection after each response. Nothing
is decoded. Needs nginx (Debian: nginx-light) and openssl. The numbers in `docs/decisions/0004-http-client.md` are
from here.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path

import peers

AT_ONCE = 64
FILES = 400
SITES = ("http", "https", "new http", "new https")
CLIENTS = {
    "allmende": None,
    "pycurl": None,
    "aiohttp": ("aiohttp==3.14.5",),
    "pyreqwest": ("pyreqwest==0.15.1",),
}

CONFIG = """
daemon off; worker_processes 1; pid {home}/pid; error_log {home}/error.log; events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; root {home}/www; types {{ image/jpeg jpg; }}
  client_body_temp_path {home}/t; proxy_temp_path {home}/t; fastcgi_temp_path {home}/t; uwsgi_temp_path {home}/t;
  scgi_temp_path {home}/t; ssl_certificate {home}/cert.pem; ssl_certificate_key {home}/key.pem;
  server {{ listen 127.0.0.1:{0}; listen 127.0.0.1:{1} ssl; }}
  server {{ listen 127.0.0.1:{2}; listen 127.0.0.1:{3} ssl; keepalive_timeout 0; }}
}}
"""


@contextlib.contextmanager
def nginx() -> Iterator[tuple[dict[str, str], Path]]:
    """Base URLs by site, and the file with the certificate."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "www").mkdir()
        home.chmod(0o755)
        choice = random.Random(1)
        for number in range(FILES):
            size = int(choice.lognormvariate(0, 0.6) * 112_000)
            (home / f"www/{number}.jpg").write_bytes(b"\xff\xd8\xff\xe0" + choice.randbytes(size))
        openssl = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x -addext subjectAltName=IP:127.0.0.1"
        openssl += " -addext basicConstraints=critical,CA:FALSE"
        files = ["-keyout", home / "key.pem", "-out", home / "cert.pem"]
        subprocess.run([*openssl.split(), *files], check=True, stderr=subprocess.DEVNULL)
        with contextlib.ExitStack() as free:
            ports = [free.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in SITES]
        (home / "conf").write_text(CONFIG.format(*ports, home=home))
        process = subprocess.Popen(["nginx", "-c", home / "conf", "-p", home], stderr=subprocess.DEVNULL)
        try:
            for port in ports:
                _wait_for(port)
            yield (
                {s: f"{s.split()[-1]}://127.0.0.1:{port}" for s, port in zip(SITES, ports, strict=True)},
                home / "cert.pem",
            )
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    sys.exit("nginx did not start")


# The clients: each yields the length of each body.


async def allmende(urls: Iterable[str]) -> AsyncIterator[int]:
    from allmende.fetch.client import Client, Target, user_agent
    from allmende.permission import Gate
    from allmende.permission.policy import PRESETS
    from allmende.recipe import Fetch

    config = Fetch(
        concurrency=AT_ONCE, per_host=AT_ONCE, ports=tuple(range(1, 65_536)), allow_addresses=("127.0.0.1/32",)
    )

    async def handle(fetched):
        return len(fetched.body)

    async with Client(config, user_agent("bench@allmende.example"), Gate(PRESETS["eu-commercial"], None)) as client:
        async for _, outcome in client.run((Target(None, url) for url in urls), handle):
            yield outcome.result


async def pycurl(urls: Iterable[str]) -> AsyncIterator[int]:
    import pycurl

    free: list[pycurl.Curl] = []
    async with pycurl.AsyncCurlMulti() as multi:

        async def get(url: str) -> int:
            curl = free.pop() if free else pycurl.Curl()
            chunks: list[bytes] = []
            curl.setopt(pycurl.URL, url)
            curl.setopt(pycurl.CAINFO, os.environ["SSL_CERT_FILE"])
            curl.setopt(pycurl.WRITEFUNCTION, chunks.append)
            await multi.perform(curl)
            free.append(curl)
            return len(b"".join(chunks))

        async for length in _at_once(get, urls):
            yield length


async def aiohttp(urls: Iterable[str]) -> AsyncIterator[int]:
    import ssl

    import aiohttp

    context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    connector = aiohttp.TCPConnector(limit=0, ssl=context)
    options = {"timeout": aiohttp.ClientTimeout(total=None), "read_bufsize": 2**18, "auto_decompress": False}
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), **options) as session:

        async def get(url: str) -> int:
            async with session.get(url, allow_redirects=False) as response:
                return len(await response.read())

        async for length in _at_once(get, urls):
            yield length


async def pyreqwest(urls: Iterable[str]) -> AsyncIterator[int]:
    from pyreqwest.client import ClientBuilder

    pem = Path(os.environ["SSL_CERT_FILE"]).read_bytes()
    async with ClientBuilder().add_root_certificate_pem(pem).build() as client:

        async def get(url: str) -> int:
            response = await client.get(url).build().send()
            return len(await response.bytes())

        async for length in _at_once(get, urls):
            yield length


async def _at_once(get: Callable, urls: Iterable[str]) -> AsyncIterator[int]:
    lengths: list[int] = []
    rest = iter(urls)

    async def work() -> None:
        lengths.extend([await get(url) for url in rest])

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    for length in lengths:
        yield length


async def _measure(client: str, base: str, count: int) -> dict[str, float]:
    urls = (f"{base}/{number % FILES}.jpg" for number in range(count))
    async for _ in globals()[client]([f"{base}/0.jpg"]):
        pass  # imports are not what is measured
    began, cpu = time.perf_counter(), time.process_time()
    whole = 0
    async for length in globals()[client](urls):
        whole += length > 1_000
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    assert whole == count
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"rate": count / seconds, "cpu_ms": cpu / count * 1_000, "rss_mib": rss}


def run(client: str, base: str, certificate: Path, count: int) -> dict[str, float]:
    """Runs this file with one client in a process of its own."""
    packages = CLIENTS[client]
    python = peers.peer(client, *packages) / "python" if packages else sys.executable
    command = [python, __file__, "--client", client, "--base", base, "--count", str(count)]
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, env={**os.environ, "SSL_CERT_FILE": str(certificate)}
    )
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=4_000)
    parser.add_argument("--repeat", type=int, default=3, help="the best of so many runs counts")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--client", help=argparse.SUPPRESS)
    parser.add_argument("--base", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        print(json.dumps(asyncio.run(_measure(options.client, options.base, options.count))), flush=True)
        os._exit(0)  # pyreqwest 0.15.1 aborts when the interpreter ends in the usual way
    peers.CACHE.mkdir(parents=True, exist_ok=True)
    with nginx() as (sites, certificate):
        if options.memory:
            for count in (10_000, 100_000):
                print(f"{count} URLs: {run('allmende', sites['http'], certificate, count)['rss_mib']:.0f} MiB")
            return
        print(f"| {peers.machine()} |", *(f" {site} |" for site in SITES), sep="")
        print("|---" * (len(SITES) + 1) + "|")
        for client in CLIENTS:
            cells = []
            for site in SITES:
                count = options.count // 4 if "new" in site else options.count
                runs = [run(client, sites[site], certificate, count) for _ in range(options.repeat)]
                best = min(runs, key=lambda r: r["cpu_ms"])
                cells.append(f" {best['cpu_ms']:.3f} ms · {best['rate']:,.0f}/s |")
            print(f"| {client} |", *cells, sep="", flush=True)


if __name__ == "__main__":
    main()
