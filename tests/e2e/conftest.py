import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from allmende.testing.server import Server


@dataclass(frozen=True)
class Command:
    """`allmende`, as a user runs it."""

    home: Path

    def __call__(self, *arguments, code=0, **environment):
        """Runs it and checks the exit code; what it printed, standard error behind standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "allmende", *map(str, arguments)],
            cwd=self.home,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, f"ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr


@pytest.fixture
def allmende(tmp_path):
    return Command(tmp_path)


@pytest.fixture(scope="session")
def web():
    with Server(hosts=4) as server:
        yield server


@pytest.fixture
def table(tmp_path, web):
    """Writes urls.parquet from paths of the server, spread over its hosts, and returns flags that let it be asked."""

    def write(paths, name="urls.parquet", captions=None):
        urls = [web.url(path, host=i % web.hosts + 1) for i, path in enumerate(paths)]
        captions = captions or [f"picture number {i}" for i in range(len(paths))]
        pq.write_table(pa.table({"url": urls, "caption": captions}), tmp_path / name)
        settings = {
            "fetch.ports": json.dumps(web.ports),
            "fetch.allow_addresses": '["127.0.0.0/8"]',
            "fetch.part_size": "20",
            "fetch.retry_seconds": "0.01",
            "fetch.host_failures": "1000",
        }
        return [name, *(flag for key, value in settings.items() for flag in ("--set", f"{key}={value}"))]

    return write
