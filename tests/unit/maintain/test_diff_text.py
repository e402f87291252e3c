"""Releases of text compared: which documents are new, and which are gone, whatever the format."""

from pathlib import Path

import pytest
import zstandard

from allmende.dataset import Dataset
from allmende.errors import LakeError
from allmende.maintain.diff import compare
from allmende.steps.documents import write_documents
from allmende.testing.archives import Archive
from allmende.testing.text_pages import page, paragraphs


@pytest.fixture
def released(build_text):
    """Releases pages in a format, and returns the folder."""

    def release(name, sink, pages):
        archive = Archive()
        for host, seed in pages:
            archive.page(f"http://{host}.example/{seed}", page("de", paragraphs("de", seed)))
        lake = build_text([archive], f'[publish]\nsink = "{sink}"\n', name=name)
        write_documents(Dataset(lake))
        return lake.root

    return release


@pytest.mark.parametrize("sinks", [("parquet", "parquet"), ("jsonl", "jsonl"), ("parquet", "jsonl")])
def test_documents_are_compared_by_uid(released, sinks):
    old = released("old", sinks[0], [("a", 1), ("a", 2), ("b", 3)])
    new = released("new", sinks[1], [("a", 2), ("b", 3), ("c", 4), ("c", 5)])
    found = compare(old, new)
    assert (found.samples_old, found.samples_new) == (3, 4)
    assert (found.samples.added, found.samples.removed, found.samples.changed) == (2, 1, 0)
    assert found.samples.languages == {"de": {"added": 2, "removed": 1}}
    assert found.samples.hosts == {"c.example": {"added": 2}, "a.example": {"removed": 1}}
    same = compare(new, new).samples
    assert (same.added, same.removed, same.changed) == (0, 0, 0)


def test_a_damaged_line_is_an_error_that_names_it(released):
    old, new = (released(name, "jsonl", [("a", 1), (name, 2)]) for name in ("old", "new"))
    shard = Path(new) / "release/shards/00000.jsonl.zst"
    lines = zstandard.decompress(shard.read_bytes(), 1 << 20).split(b"\n")
    shard.write_bytes(zstandard.compress(b"\n".join([lines[0], lines[1][:50], b""])))
    with pytest.raises(LakeError, match=r"00000.jsonl.zst, line 2: no document"):
        compare(old, new)
