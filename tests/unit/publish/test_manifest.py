"""Versions say what changed; manifests say what there is."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.errors import LakeTooNew, Untrusted
from allmende.publish.manifest import (
    Earlier,
    Released,
    ReleaseManifest,
    check_path,
    decode,
    digest,
    encode,
    next_version,
    order,
    same_content,
)
from allmende.safety.tombstones import Head


def file(text):
    return Released(bytes=len(text), sha256=f"{hash(text) % 16**8:064x}")


OLD = ReleaseManifest(
    dataset="set",
    version="1.4.2",
    previous=Earlier(version="1.4.1", sha256="0" * 64),
    released="2026-11-22T10:00:00Z",
    allmende="0.1.0",
    samples=10,
    taken_down=0,
    data="a",
    form="b",
    policy="eu-commercial/2026-11-22",
    tombstones=Head(entries=0, digest="0" * 64, key="1" * 64),
    files={"shards/00000.tar": file("a"), "README.md": file("b"), "shards/part-00000.json": file("c")},
)
SHARDS = {"shards/00000.tar": file("other")}


@pytest.mark.parametrize(
    ("changes", "version"),
    [
        pytest.param({"files": OLD.files | {"README.md": file("new")}}, "1.4.3", id="a document"),
        pytest.param({"files": OLD.files | {"shards/part-00000.json": file("new")}}, "1.4.3", id="a note of the build"),
        pytest.param({"files": OLD.files | SHARDS, "samples": 11}, "1.5.0", id="more samples"),
        pytest.param({"files": OLD.files | SHARDS, "samples": 9, "taken_down": 1}, "2.0.0", id="a take-down"),
        pytest.param({"files": OLD.files | SHARDS, "samples": 12, "taken_down": 1}, "2.0.0", id="a retry, too"),
        pytest.param({"files": OLD.files | SHARDS, "samples": 9}, "2.0.0", id="fewer samples"),
        pytest.param({"files": OLD.files | SHARDS}, "2.0.0", id="as many, but others"),
        pytest.param({"files": OLD.files | SHARDS, "samples": 11, "data": "z"}, "2.0.0", id="another recipe"),
        pytest.param({"files": OLD.files | SHARDS, "samples": 11, "form": "z"}, "2.0.0", id="another format"),
    ],
)
def test_the_version_says_what_changed(changes, version):
    new = msgspec.structs.replace(OLD, **changes)
    assert not same_content(OLD, new)
    assert next_version(OLD, new) == version
    assert order(version) > order(OLD.version)


def test_a_manifest_is_read_back_and_has_one_spelling():
    assert decode(encode(OLD), "m") == OLD
    shuffled = msgspec.structs.replace(OLD, files=dict(reversed(OLD.files.items())))
    assert encode(shuffled) == encode(OLD)
    assert digest(shuffled) == digest(OLD)


def test_a_manifest_that_names_files_elsewhere_is_refused():
    for path in ("../x", "/etc/passwd", "a/../../x", "", "a//b", "a\\b", "C:/x", "a/.", "a\0b"):
        with pytest.raises(Untrusted):
            check_path(path, "m")
        with pytest.raises(Untrusted):
            decode(encode(msgspec.structs.replace(OLD, files={path: file("x")})), "m")


def test_a_newer_manifest_asks_for_an_upgrade():
    with pytest.raises(LakeTooNew, match="pip install -U"):
        decode(encode(msgspec.structs.replace(OLD, format=99)), "m")


@given(st.binary(max_size=200) | st.integers(0, len(encode(OLD)) - 2).map(lambda n: encode(OLD)[:n]))
def test_what_is_no_manifest_is_refused(content):
    with pytest.raises(Untrusted):
        decode(content, "m")
