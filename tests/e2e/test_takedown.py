"""A take-down, there and back again: release, take down, patch a copy, build anew, be killed, be lied to."""

import functools
import http.server
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from allmende import recipe as parts
from allmende.building import build
from allmende.dataset import Dataset
from allmende.errors import EngineError, LakeError, RecipeError, Untrusted
from allmende.lake import Lake
from allmende.maintain import apply_patch, diff
from allmende.maintain.patch import Patch
from allmende.maintain.takedown import take_down
from allmende.maintain.targets import Targets
from allmende.recipe import Recipe
from allmende.retrying import retry
from allmende.safety.keys import Signer, make_key
from allmende.steps.documents import write_documents
from allmende.testing.compare import fingerprint

SINKS = ("webdataset", "parquet", "files")
HOSTS, PICTURES = 3, 24
LOOKS, NEAR, NAMED, ALONE, LATE = "5", "near", "7", "9", "late"
"""Pictures: one and its near-duplicate on another host, two that get named, one that is missing at first."""
GONE = {LOOKS, NEAR, NAMED, ALONE, *(str(n) for n in range(1, PICTURES, HOSTS))}
"""With those of the second host."""


def photo(number, size=96, quality=92):
    """A picture with enough detail for its perceptual hash to mean something: soft random shapes."""
    grain = np.random.default_rng(number).integers(0, 256, (9, 9, 3), np.uint8)
    image = Image.fromarray(grain).resize((size, size), Image.Resampling.BICUBIC)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        del words


class World:
    """A folder of pictures on the loopback web, and datasets of them."""

    def __init__(self, home, port):
        self.home, self.port = home, port
        self.names = [*(str(n) for n in range(PICTURES)), NEAR, LATE]
        urls = [self.url(name) for name in self.names]
        captions = [f"picture number {i}" for i in range(len(urls))]
        pq.write_table(pa.table({"url": urls, "caption": captions}), home / "urls.parquet")

    def url(self, name):
        return f"http://127.0.0.{self.names.index(name) % HOSTS + 1}:{self.port}/{name}.jpg"

    def recipe(self, output, sink="webdataset", log=""):
        return Recipe(
            dataset=parts.Dataset(name="pictures", output=str(output)),
            select=parts.Select(urls=(str(self.home / "urls.parquet"),)),
            fetch=parts.Fetch(ports=(self.port,), allow_addresses=("127.0.0.0/8",), part_size=5),
            images=parts.Images(min_bytes=100),
            permission=parts.Permission(policy="off", without_permission=True),
            safety=parts.Safety(tombstones=str(log)),
            publish=parts.Publish(sink=sink, shard_size=8),
            run=parts.Run(workers=1),
        )

    def build(self, name, sink="webdataset", like=None, log=""):
        """Builds a dataset; `like` takes over what that one has fetched, and its empty log."""
        folder = self.home / name
        if like is not None:
            shutil.copytree(self.home / like, folder, ignore=shutil.ignore_patterns("release*"))
        build(self.recipe(folder, sink, log), redo=like is not None)
        return folder

    def take_all_down(self, dataset, first):
        """By looks, by URL and uid, by domain: three versions."""
        for reason, targets in (
            ("privacy", Targets.of(phashes=[first[LOOKS]["phash"]])),
            ("copyright", Targets.of(urls=[self.url(NAMED)], uids=[first[ALONE]["uid"]])),
            ("opt-out", Targets.of(domains=["127.0.0.2"])),
        ):
            take_down(str(dataset), targets, reason=reason, ticket=f"T-{reason}")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    web, home = tmp_path_factory.mktemp("web"), tmp_path_factory.mktemp("home")
    for number in range(PICTURES):
        (web / f"{number}.jpg").write_bytes(photo(number))
    (web / f"{NEAR}.jpg").write_bytes(photo(int(LOOKS), size=120, quality=70))
    handler = functools.partial(_Quiet, directory=str(web))
    with http.server.ThreadingHTTPServer(("0.0.0.0", 0), handler) as server:  # all of 127.0.0.0/8
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            world = World(home, server.server_port)
            world.web = web
            world.build("webdataset-1")
            yield world
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Story:
    """What the three take-downs made of a dataset with some sink."""

    sink: str
    dataset: Path
    first: dict
    """Rows of version 1.0.0."""
    copy: Path
    """Of release 1.0.0."""
    patches: list


@pytest.fixture(scope="module", params=SINKS)
def story(world, request):
    sink = request.param
    original = world.home / "webdataset-1"
    dataset = world.build(sink, sink, like=original.name)
    first = rows(dataset)
    copy = Path(shutil.copytree(dataset / "release", world.home / f"{sink}-copy"))
    world.take_all_down(dataset, first)
    return Story(sink, dataset, first, copy, sorted((dataset / "releases/patches").iterdir()))


@pytest.fixture(scope="module")
def logged(world):
    """A log with the three take-downs."""
    dataset = world.build("logged", like="webdataset-1")
    world.take_all_down(dataset, rows(dataset))
    return dataset / "tombstones"


@pytest.fixture(scope="module")
def fresh(world, logged):
    """What a build that begins after the take-downs has fetched."""
    return world.build("fresh", log=logged)


def rows(dataset):
    """The samples of a release, by the name of their picture."""
    columns = ["uid", "url", "phash", "sha256", "phash_quality"]
    tables = [pq.read_table(p, columns=columns) for p in sorted((dataset / "release/shards").glob("*.parquet"))]
    return {row["url"].rpartition("/")[2].removesuffix(".jpg"): row for t in tables for row in t.to_pylist()}


def manifest(release):
    return json.loads((release / "manifest.json").read_text())


def version(dataset):
    return manifest(dataset / "release")["version"]


def shards(dataset):
    """Content of a release's shards by name, but for clock readings and the build's notes."""
    return {
        name: digest
        for name, digest in fingerprint(dataset).items()
        if name.startswith("release/shards/") and "part-" not in name and "plan.json" not in name
    }


def content(folder):
    """Every file and its bytes."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_copy_and_its_patches_are_the_new_release(story):
    assert [p.name for p in story.patches] == ["1.0.0-2.0.0.patch", "2.0.0-3.0.0.patch", "3.0.0-4.0.0.patch"]
    assert len(story.first) == PICTURES + 1
    copy = Path(shutil.copytree(story.copy, story.copy.with_name(f"{story.sink}-patched")))
    for patch in story.patches:
        apply_patch.apply(copy, patch)
        apply_patch.apply(copy, patch)  # twice changes nothing
    assert content(copy) == content(story.dataset / "release")
    assert manifest(copy)["version"] == "4.0.0"


def test_a_fresh_build_that_obeys_the_log_has_the_same_shards(story, fresh, logged, world):
    again = world.build(f"fresh-{story.sink}", story.sink, fresh.name, logged)
    assert rows(again).keys() == story.first.keys() - GONE
    assert shards(again) == shards(story.dataset)


def test_nothing_is_left_of_what_was_taken_down(story):
    secrets = [row[key] for name, row in story.first.items() if name in GONE for key in ("uid", "sha256")]
    tables = [*(story.dataset / "samples").glob("*.parquet"), *(story.dataset / "release").rglob("*.parquet")]
    for path in tables:
        text = json.dumps(pq.read_table(path).to_pylist(), default=str)
        assert [secret for secret in secrets if secret in text] == []
    kept = sum(path.stat().st_size for path in (story.dataset / "samples").glob("*.bin"))
    sizes = [size for p in tables if "dropped" not in p.name for size in column(p, "data_size")]
    assert kept == sum(sizes)
    for path in (story.dataset / "releases").rglob("*"):
        assert path.is_dir() or not any(secret.encode() in path.read_bytes() for secret in secrets)


def column(path, name):
    return pq.read_table(path, columns=[name])[name].to_pylist() if name in pq.read_schema(path).names else []


def test_only_touched_shards_were_made_anew(world, story):
    dataset = world.build(f"{story.sink}-touched", story.sink, like="webdataset-1")
    before = manifest(dataset / "release")["files"]
    last = {p.name for p in (dataset / "release/shards").glob("part-*.json")}
    done = take_down(str(dataset), Targets.of(urls=[world.url(NAMED)]), reason="opt-out", ticket="T")
    after = manifest(dataset / "release")["files"]
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    touched = {name for name in changed if "part-" in name}
    assert done.version == "2.0.0"
    assert (len(touched), done.shards, done.parts) == (1, 1, 1)
    assert len(last) > 2


def test_every_version_has_its_place_in_the_history(story):
    history = [json.loads((story.dataset / f"releases/{v}.0.0.json").read_text()) for v in (1, 2, 3, 4)]
    assert [m["removed"] for m in history] == [{}, {"privacy": 2}, {"copyright": 2}, {"opt-out": 7}]
    assert [m["previous"] and m["previous"]["version"] for m in history] == [None, "1.0.0", "2.0.0", "3.0.0"]
    assert history[-1] == manifest(story.dataset / "release")
    feed = (story.dataset / "releases/feed.xml").read_text()
    assert feed.count("<entry>") == 7
    assert "Taken down: 2 (privacy)" in feed


def test_two_releases_are_compared_by_sample_and_by_file(story):
    found = diff.compare(str(story.copy), str(story.dataset))
    assert (found.samples.added, found.samples.removed, found.samples.changed) == (0, len(GONE), 0)
    assert found.samples.hosts["127.0.0.2"] == {"removed": 8}
    assert found.removed_for == {"privacy": 2, "copyright": 2, "opt-out": 7}
    same = diff.compare(str(story.dataset), str(story.dataset / "release"))
    assert (same.samples.removed, same.files.changed) == (0, [])
    whole = diff.compare(str(story.dataset / "releases/1.0.0.json"), str(story.dataset))
    assert whole.samples is None
    assert "manifest.json" not in whole.files.changed
    assert "README.md" in whole.files.changed


def test_building_again_makes_no_new_version(world, story):
    before = content(story.dataset / "release")
    build(world.recipe(story.dataset, story.sink))
    assert content(story.dataset / "release") == before


@pytest.fixture
def patched(world, tmp_path):
    """A copy at 1.0.0, and the patch to 2.0.0."""
    story_folder = world.home / "small"
    if not story_folder.exists():
        dataset = world.build("small", like="webdataset-1")
        shutil.copytree(dataset / "release", world.home / "small-copy")
        take_down(str(dataset), Targets.of(urls=[world.url(NAMED)]), reason="opt-out", ticket="T")
        take_down(str(dataset), Targets.of(uids=[rows(dataset)[ALONE]["uid"]]), reason="opt-out", ticket="T")
    shutil.copytree(world.home / "small-copy", tmp_path / "copy")
    return tmp_path / "copy", story_folder / "releases/patches/1.0.0-2.0.0.patch"


def test_patches_in_a_wrong_order_are_refused(patched):
    copy, patch = patched
    before = content(copy)
    second = patch.with_name("2.0.0-3.0.0.patch")
    with pytest.raises(RecipeError, match=r"leads from 2\.0\.0 to 3\.0\.0; this copy is 1\.0\.0"):
        apply_patch.apply(copy, second)
    assert content(copy) == before
    apply_patch.apply(copy, patch)
    apply_patch.apply(copy, second)
    with pytest.raises(RecipeError, match=r"this copy is 3\.0\.0"):
        apply_patch.apply(copy, patch)


@pytest.mark.parametrize("at", [0, 20, 300, -1, -40, -2000])
def test_a_patch_that_was_changed_is_refused_and_nothing_touched(patched, tmp_path, at):
    copy, patch = patched
    before, changed = content(copy), bytearray(patch.read_bytes())
    changed[at] ^= 1
    (tmp_path / "bad.patch").write_bytes(changed)
    with pytest.raises(Untrusted):
        apply_patch.apply(copy, tmp_path / "bad.patch")
    assert content(copy) == before


@pytest.mark.parametrize("length", [0, 10, 200, -1, -500])
def test_a_patch_that_is_not_whole_is_refused(patched, tmp_path, length):
    copy, patch = patched
    before = content(copy)
    (tmp_path / "cut.patch").write_bytes(patch.read_bytes()[:length])
    with pytest.raises(Untrusted):
        apply_patch.apply(copy, tmp_path / "cut.patch")
    assert content(copy) == before


def test_a_patch_by_anybody_else_is_refused(patched, tmp_path):
    copy, patch = patched
    opened = Patch(patch)
    magic, line, signature = patch.read_bytes().split(b"\n", 3)[:3]
    forged = Signer(make_key(), "key").sign("patch", line).encode()
    (tmp_path / "forged.patch").write_bytes(b"\n".join([magic, line, forged, patch.read_bytes()[opened.begin :]]))
    assert signature != forged
    with pytest.raises(Untrusted, match="not signed with the key"):
        apply_patch.apply(copy, tmp_path / "forged.patch")


def test_a_copy_whose_files_were_changed_is_refused(patched):
    copy, patch = patched
    changed = next(c for c in Patch(patch).header.files if c.source.endswith(".tar"))
    (copy / changed.source).write_bytes(b"something else")
    before = content(copy)
    with pytest.raises(Untrusted, match="missing or was changed"):
        apply_patch.apply(copy, patch)
    assert content(copy) == before


def test_a_patch_may_lie_at_a_url(patched, allmende, tmp_path):
    copy, patch = patched
    handler = functools.partial(_Quiet, directory=str(patch.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/{patch.name}"
            assert "leads from 1.0.0 to 2.0.0" in allmende("patch", "verify", copy, url)
            allmende("patch", "apply", copy, url)
            missing = allmende("patch", "apply", copy, url.replace("1.0.0", "9.0.0"), code=4)
        finally:
            server.shutdown()
            thread.join()
    assert json.loads((copy / "manifest.json").read_text())["version"] == "2.0.0"
    assert "9.0.0-2.0.0.patch" in missing


def test_a_dataset_with_its_lake_takes_no_patch(world, patched):
    with pytest.raises(LakeError, match="has the lake of this release"):
        apply_patch.apply(world.home / "small", patched[1])
    with pytest.raises(LakeError, match="no samples/"):
        take_down(str(patched[0]), Targets.of(domains=["a.example"]), reason="other", ticket="T")


class _Killed(BaseException):
    """Stands for SIGKILL between two writes."""


def test_a_patch_that_is_interrupted_is_finished_by_the_same_command(patched, monkeypatch):
    copy, patch = patched
    whole = Path(shutil.copytree(copy, copy.with_name("whole")))
    apply_patch.apply(whole, patch)
    replace, done = Path.replace, 0
    for survived in range(0, 20, 3):
        left = [survived]

        def dying(self, target, left=left):
            if not left[0]:
                raise _Killed
            left[0] -= 1
            return replace(self, target)

        monkeypatch.setattr(Path, "replace", dying)
        try:
            apply_patch.apply(copy, patch)
            done += 1
        except _Killed:
            continue
        finally:
            monkeypatch.undo()
    apply_patch.apply(copy, patch)
    assert done
    assert content(copy) == content(whole)


def dying(monkeypatch, survived):
    """Lets so many writes to a dataset succeed, and dies at the next; a list with the number of those left."""
    left = [survived]
    for name in ("put", "write", "remove"):
        original = getattr(Lake, name)

        def once_more(self, *words, original=original):
            if not left[0]:
                raise _Killed
            left[0] -= 1
            return original(self, *words)

        monkeypatch.setattr(Lake, name, once_more)
    return left


@pytest.fixture(scope="module")
def writes(world):
    """How many writes a take-down of one URL needs."""
    dataset = world.build("counted", like="webdataset-1")
    with pytest.MonkeyPatch.context() as patch:
        left = dying(patch, 1_000)
        take_down(str(dataset), Targets.of(urls=[world.url(NAMED)]), reason="opt-out", ticket="T")
    return 1_000 - left[0]


@pytest.mark.parametrize("eighths", range(8))
def test_a_take_down_that_dies_at_any_write_is_finished_by_the_same_command(
    world, writes, monkeypatch, tmp_path, eighths
):
    dataset = world.build(f"dying-{eighths}", like="webdataset-1")
    targets = Targets.of(urls=[world.url(NAMED)])
    copy = Path(shutil.copytree(dataset / "release", tmp_path / "copy"))
    dying(monkeypatch, writes * eighths // 8)
    with pytest.raises((_Killed, EngineError)):  # Daft wraps what a worker raises
        take_down(str(dataset), targets, reason="opt-out", ticket="T")
    monkeypatch.undo()
    if (dataset / "releases/unfinished.json").exists():
        with pytest.raises(LakeError, match="take-down was interrupted"):
            build(world.recipe(dataset))
    done = take_down(str(dataset), targets, reason="opt-out", ticket="T")
    assert (done.version_before, done.version, done.samples) in {("1.0.0", "2.0.0", 1), ("2.0.0", "2.0.0", 0)}
    assert manifest(dataset / "release")["removed"] == {"opt-out": 1}
    assert rows(dataset).keys() == rows(world.home / "webdataset-1").keys() - {NAMED}
    apply_patch.apply(copy, dataset / "releases/patches/1.0.0-2.0.0.patch")
    assert content(copy) == content(dataset / "release")
    assert {p.name for p in (dataset / "releases").iterdir()} == {"1.0.0.json", "2.0.0.json", "feed.xml", "patches"}


def test_a_take_down_that_is_killed_is_finished_by_the_same_command(world, allmende):
    dataset = world.build("killed", like="webdataset-1")
    words = ["takedown", str(dataset), "--domain", "127.0.0.2", "--reason", "opt-out", "--ticket", "T", "--yes"]
    for sign in ("releases/unfinished.json", "releases/2.0.0.json"):
        process = subprocess.Popen(
            [sys.executable, "-m", "allmende", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while process.poll() is None and not (dataset / sign).exists():
            os.sched_yield()
        process.send_signal(signal.SIGKILL)
        process.wait()
    said = allmende(*words)
    assert version(dataset) == "2.0.0"
    assert rows(dataset).keys() == rows(world.home / "webdataset-1").keys() - {
        name for name in world.names if "127.0.0.2" in world.url(name)
    }
    assert not (dataset / "releases/unfinished.json").exists()
    assert "entries of the take-down log: 0" in said


def test_the_command_shows_what_would_go_and_asks(world, allmende, tmp_path):
    dataset = world.build("asked", like="webdataset-1")
    before = content(dataset)
    words = ["takedown", dataset, "--url", world.url(LOOKS), "--reason", "privacy", "--ticket", "T"]
    plan = json.loads(allmende(*words, "--dry-run", "--json"))
    assert plan["by_kind"] == {"url": 1, "sha256": 1, "phash": 2}
    assert (plan["samples"], plan["entries"], plan["version"]) == (2, 3, "1.0.0")
    assert "2 samples would go" in allmende(*words, code=130)  # nobody answers
    after = content(dataset)
    assert {name for name in after if before.get(name) != after[name]} == set()
    assert "Say why, and who asked" in allmende("takedown", dataset, "--url", world.url(LOOKS), code=2)
    assert "Say what to take down" in allmende("takedown", dataset, "--reason", "other", "--ticket", "T", code=2)
    assert "tombstones = " in allmende("takedown", tmp_path / "log", "--new-log")
    assert "is there already" in allmende("takedown", tmp_path / "log", "--new-log", code=2)


def test_more_samples_make_a_minor_version_and_documents_a_patch(world):
    dataset = world.build("retried", like="webdataset-1")
    (world.web / f"{LATE}.jpg").write_bytes(photo(99))
    try:
        retry(Lake(str(dataset)), ["http_not_found"])
    finally:
        (world.web / f"{LATE}.jpg").unlink()
    assert version(dataset) == "1.1.0"
    assert LATE in rows(dataset)
    write_documents(opened(dataset))
    assert version(dataset) == "1.1.0"
    (dataset / "release/rights/index.html").unlink()
    manifest_before = (dataset / "release/manifest.json").read_bytes()
    write_documents(opened(dataset))
    assert (dataset / "release/manifest.json").read_bytes() == manifest_before
    toml = (dataset / "recipe.toml").read_text()
    (dataset / "recipe.toml").write_text(toml.replace('contact = ""', 'contact = "me@example.org"'))
    write_documents(opened(dataset))
    assert version(dataset) == "1.1.1"
    assert "mailto:me@example.org" in (dataset / "release/rights/index.html").read_text()


def opened(dataset):
    return Dataset(str(dataset))


def test_a_log_that_lost_entries_stops_the_next_release(world):
    dataset = world.build("forgetful", like="webdataset-1")
    log = dataset / "tombstones"
    take_down(str(dataset), Targets.of(urls=[world.url(NAMED)]), reason="opt-out", ticket="T")
    lines = (log / "log.jsonl").read_bytes().splitlines(keepends=True)
    (log / "log.jsonl").write_bytes(b"".join(lines[:-1]))
    with pytest.raises(Untrusted, match="not all there"):
        build(world.recipe(dataset))
    (log / "log.jsonl").write_bytes(b"".join(lines) + b'{"half a li')
    assert take_down(str(dataset), Targets.of(urls=[world.url(ALONE)]), reason="opt-out", ticket="T").entries == 1
    assert len((log / "log.jsonl").read_bytes().splitlines()) == len(lines) + 1
    assert (log / "signing.key").stat().st_mode & 0o077 == 0


def test_datasets_that_share_a_log_obey_what_others_entered(world, logged):
    dataset = world.build("catching-up", like="webdataset-1")
    shutil.rmtree(dataset / "tombstones")
    shutil.copytree(logged, dataset / "tombstones")
    done = take_down(str(dataset))
    assert (done.samples, done.entries, done.version) == (len(GONE), 0, "2.0.0")
    assert rows(dataset).keys() == rows(world.home / "webdataset-1").keys() - GONE
    assert manifest(dataset / "release")["removed"] == {"logged before": len(GONE)}


def test_a_log_that_is_not_there_is_no_empty_log(world):
    with pytest.raises(LakeError, match="no take-down log in"):
        world.build("logless", log=world.home / "nowhere")
