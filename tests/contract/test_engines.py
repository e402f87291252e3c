"""The same recipe gives the same dataset, on this machine's engine and on Ray, on a disk and in an object store."""

import json
import os
import subprocess
import sys

import fsspec
import msgspec
import pyarrow.parquet as pq
import pytest

from allmende import demo
from allmende.recipe_file import dumps
from allmende.testing.compare import fingerprint
from allmende.testing.text_pages import paragraphs, text_archive


def build(home, *flags, output="set", **environment):
    """Runs `allmende build` on the demo's recipe, in a folder of its own, over a web that nobody has asked before."""
    home.mkdir(exist_ok=True)
    with demo.serve() as server:
        (home / "recipe.toml").write_text(dumps(demo.recipe(server, output)))
        return run(home, *flags, **environment)


def run(home, *flags, **environment):
    return json.loads(command(home, "build", "recipe.toml", "--json", *flags, **environment))


def command(home, *words, **environment):
    """What `allmende` prints."""
    line = [sys.executable, "-m", "allmende", *words]
    done = subprocess.run(
        line, cwd=home, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


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


def test_an_object_store_holds_the_same_dataset_and_continues_it(local, tmp_path, bucket):
    with demo.serve() as server:
        (tmp_path / "recipe.toml").write_text(dumps(demo.recipe(server, f"s3://{bucket.name}/set")))
        first = run(tmp_path, **bucket.environment)
        again = run(tmp_path, **bucket.environment)
    assert again == first
    store = fsspec.filesystem("s3", **bucket.options)
    store.get(f"{bucket.name}/set", str(tmp_path / "set"), recursive=True)
    different = {
        name for name, digest in fingerprint(tmp_path / "set").items() if fingerprint(local).get(name) != digest
    }
    assert {name.rsplit("/", 1)[-1] for name in different} == {"recipe.toml"}  # it names the output


def build_text(home, *flags, output="set", **environment):
    """Runs `allmende build` on a recipe for text, over archives on the disk."""
    home.mkdir(exist_ok=True)
    for number in range(3):
        (home / f"{number}.warc.gz").write_bytes(text_archive(number, pages=12).to_bytes())
    (home / "quiz.txt").write_text("\n\n".join(paragraphs("de", "0/0/0")))
    text = '[text]\nlanguages = ["de", "fr"]\n[publish]\nshard_size = 10\n[quality]\nsignals = true\n'
    text += '[decontamination]\nsets = ["quiz.txt"]\n[repeats]\nunit = "line"\ndocuments = 3\n'
    head = f'[dataset]\nname = "set"\nkind = "text"\noutput = "{output}"\n[select]\narchives = ["*.warc.gz"]\n'
    (home / "recipe.toml").write_text(head + text)
    return run(home, *flags, **environment)


@pytest.fixture(scope="module")
def local_text(tmp_path_factory):
    home = tmp_path_factory.mktemp("text")
    build_text(home)
    assert json.loads((home / "set/near/part-00000.json").read_text())["counts"]["document"]["dropped"]
    assert pq.read_table(home / "set/release/removed_contaminated.parquet").num_rows
    assert any(pq.read_table(path).num_rows for path in (home / "set/repeated").glob("*.parquet"))
    return home / "set"


@pytest.mark.ray
def test_ray_builds_the_same_text(local_text, tmp_path):
    build_text(tmp_path, "--engine", "ray", "--workers", "2")
    assert fingerprint(tmp_path / "set") == fingerprint(local_text)


def test_one_worker_builds_the_same_text(local_text, tmp_path):
    build_text(tmp_path, "--workers", "1")
    assert fingerprint(tmp_path / "set") == fingerprint(local_text)


def test_an_object_store_holds_the_same_text(local_text, tmp_path, bucket):
    build_text(tmp_path, output=f"s3://{bucket.name}/set", **bucket.environment)
    store = fsspec.filesystem("s3", **bucket.options)
    store.get(f"{bucket.name}/set", str(tmp_path / "set"), recursive=True)
    there, here = fingerprint(tmp_path / "set"), fingerprint(local_text)
    different = {name for name in there.keys() | here.keys() if there.get(name) != here.get(name)}
    assert {name.rsplit("/", 1)[-1] for name in different} == {"recipe.toml"}  # it names the output


def test_a_text_is_taken_down_in_an_object_store(tmp_path, bucket):
    build_text(tmp_path, output=f"s3://{bucket.name}/set", **bucket.environment)
    store = fsspec.filesystem("s3", **bucket.options)
    store.get(f"{bucket.name}/set/release", str(tmp_path / "copy"), recursive=True)
    url = pq.read_table(tmp_path / "copy/shards/00000.parquet")["url"][0].as_py()
    dataset = f"s3://{bucket.name}/set"
    command(tmp_path, "takedown", dataset, "--url", url, "--reason", "privacy", "--ticket", "T-1", "--yes")
    assert "Nothing is wrong" in command(tmp_path, "verify", dataset)
    store.get(f"{bucket.name}/set", str(tmp_path / "after"), recursive=True)
    shards = sorted((tmp_path / "after/release/shards").glob("*.parquet"))
    assert url not in pq.read_table(shards)["url"].to_pylist()
    command(tmp_path, "patch", "apply", "copy", "after/releases/patches/1.0.0-2.0.0.patch")
    assert fingerprint(tmp_path / "copy") == fingerprint(tmp_path / "after/release")


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
    name = f"allmende-{port}"  # all servers of a process share moto's buckets
    fsspec.filesystem("s3", **options).mkdir(name)
    yield Bucket(name, options, environment)
    server.stop()
