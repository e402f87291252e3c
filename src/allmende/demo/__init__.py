"""The demo: a small crawl that ships with Allmende, a server that plays its web, and a recipe for both.

    with demo.serve() as server:
        allmende.build(demo.recipe(server, "allmende-demo"))

Everything goes over TCP on the loopback interface and through the same code as a real build. That is the demo for images; the
one for documents is in `demo.text`.
`docs/reference/demo-data.md` tells what is in the crawl, where it comes from and under which licence.
"""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from allmende import dataset
from allmende.building import build
from allmende.demo import text
from allmende.engine import Engine
from allmende.errors import SourceError
from allmende.progress import Progress
from allmende.recipe import Dataset, Extract, Fetch, Publish, Recipe, Select

__all__ = ["CRAWL", "Server", "build_demo", "recipe", "serve", "text"]

CRAWL = "CC-MAIN-2026-99"
"""Id of the demo crawl: a week that no year has."""

FOLDERS = {"images": "demo", "text": "demo-text"}
"""Where a demo goes that is told nothing else."""

_LAST_SECONDS = 10.0
"""How long the server may take to end once it is told so."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    port: int
    """8087, unless that was taken: then the crawl's links (and all uids) have another port in them."""

    @property
    def url(self) -> str:
        """Base URL of the part that plays Common Crawl, for `select.source`."""
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def serve() -> Iterator[Server]:
    """Runs the demo's web server in a process of its own while the block runs; Ctrl-C does not reach it.

    Raises:
        SourceError: The server did not start; its own message is on standard error.
    """
    command = [sys.executable, "-m", "allmende.demo.server"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, start_new_session=True) as process:  # noqa: S603 - our own module
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            told = process.stdout.readline()
            if not told:
                raise SourceError(f"The demo's web server did not start. Try it alone: {' '.join(command)}")
            yield Server(int(told))
        finally:
            process.stdin.close()
            try:
                process.wait(_LAST_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def build_demo(
    kind: str = "images", to: str = "", engine: Engine | None = None, progress: Progress | None = None
) -> dataset.Dataset:
    """Builds a small dataset, offline, from a crawl that ships with Allmende.

    Args:
        kind: images or text.
        to: Folder of the dataset; by default demo or demo-text.
        engine: Where to run.
        progress: Who is told.
    """
    folder = to or FOLDERS[kind]
    if kind == "text":
        return build(text.recipe(folder), engine, progress)
    with serve() as server:
        return build(recipe(server, folder), engine, progress)


def recipe(server: Server, output: str) -> Recipe:
    """The recipe of the demo: all archives of its crawl, whole pages, captions in every language.

    Args:
        server: What `serve` gave.
        output: Folder of the dataset.
    """
    return Recipe(
        dataset=Dataset(
            name="allmende-demo",
            output=output,
            description="Public domain pictures with captions in 23 languages, out of a small crawl that ships with Allmende.",
            license="CC0-1.0",
            contact="https://localhost/allmende-demo",
        ),
        select=Select(crawl=CRAWL, kind="warc", files=0, source=server.url),
        extract=Extract(keep_dropped=True),
        fetch=Fetch(
            per_host=16,
            ports=(server.port, server.port + 1, 80),
            allow_addresses=("127.0.0.0/8", "::1/128"),
            first_byte_seconds=2.0,
            retry_seconds=0.2,
            part_size=250,
        ),
        publish=Publish(shard_size=250),
    )
