"""The same recipe gives the same dataset, on this machine's engine and on Ray, on a disk and in an object store."""

import json
import os
import subprocess
import sys

import fsspec
import msgspec
import pytest

from allmende import demo
from allmende.recipe_file import dumps
from allmende.testing.compare import fingerprint


def build(home, *flags, output="set", **environment):
    """Runs `allmende build` on the demo's recipe, in a folder of its own, over a web that nobody has asked before."""
    home.mkdir(exist_ok=True)
    with demo.serve() as server:
        (home / "recipe.toml").write_text(dumps(demo.recipe(server, output)))
        return run(home, *flags, **environment)


def run(home, *flags, **environment):
    command = [sys.executable, "-m", "allmende", "build", "recipe.toml", "--json", *flags]
    done = subprocess.run(
        command, cwd=home, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    home = tmp_path_factory.mktemp("local")
    build(home)
    return home / "set"


@pytest.mark.ray
def test_ray_builds_the_same_dataset(local, tmp_path):
    build(tmp_path, "--engine", "ray", "--workers", "2")
    assert fingerprint(tmp_path / "set") == fingerprint(local)


def test_one_worker_builds_the_same_dataset(local, tmp_path):
    build(tmp_path, "--workers", "1")
    assert fingerprint(tmp_path / "set") == fingerprint(local)


def test_an_object_store_holds_the_same_dataset(local, tmp_path, bucket):
    build(tmp_path, output=f"s3://{bucket.name}/set", **bucket.environment)
    store = fsspec.filesystem("s3", **bucket.options)
    store.get(f"{bucket.name}/set", str(tmp_path / "set"), recursive=True)
    different = {
        name for name, digest in fingerprint(tmp_path / "set").items() if fingerprint(local).get(name) != digest
    }
    assert {name.rsplit("/", 1)[-1] for name in different} == {"recipe.toml"}  # it names the output
    again = build(tmp_path, output=f"s3://{bucket.name}/set", **bucket.environment)
    assert msgspec.json.encode(again)


class Bucket(msgspec.Struct, frozen=True):
    """A bucket of a local S3 server."""

    name: str
    options: dict
    environment: dict


@pytest.fixture
def bucket(monkeypatch):
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    options = {"endpoint_url": environment["AWS_ENDPOINT_URL"], "skip_instance_cache": True}
    fsspec.filesystem("s3", **options).mkdir("allmende-test")
    yield Bucket("allmende-test", options, environment)
    server.stop()
