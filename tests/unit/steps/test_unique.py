from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allmende import recipe_file
from allmende.errors import LakeError
from allmende.identity import key64, uid
from allmende.lake import Lake
from allmende.lock import leave
from allmende.parts import Plan, Tally
from allmende.schema import CANDIDATES, SAMPLES
from allmende.steps import buckets, frequent, unique
from allmende.steps.buckets import BucketWriter, bucket_count
from allmende.steps.step import Settings

BUCKETS = 8


def rows(pairs, schema=CANDIDATES):
    """Candidates for (URL, caption) pairs."""
    columns = {
        "uid": [uid(*pair) for pair in pairs],
        "url": [url for url, _ in pairs],
        "caption": [caption for _, caption in pairs],
        "url_key": [key64(url) for url, _ in pairs],
        "host_key": [key64(url.split("/")[2]) for url, _ in pairs],
        "caption_key": [key64(caption.lower()) for _, caption in pairs],
        "seen": [1] * len(pairs),
    }
    return pa.Table.from_arrays(
        [pa.array(columns.get(f.name, [None] * len(pairs)), f.type) for f in schema], schema=schema
    )


def dedup(root, parts, earlier=(), **limits):
    """Runs both steps; the kept pairs in order, the tally, and the frequent captions."""
    lake = Lake(root)
    step = lake.step("candidates")
    step.write_plan(
        Plan(step="candidates", digest="d", parts={f"{n:05d}": {"buckets": BUCKETS} for n in range(len(parts))})
    )
    for number, pairs in enumerate(parts):
        with step.part(f"{number:05d}", "d") as part:
            with BucketWriter(str(part.file(".parquet")), BUCKETS) as out:
                out.write(rows(pairs))
            part.commit({"candidate": Tally(len(pairs), len(pairs))})
    limits = "\n".join(f"{name} = {value}" for name, value in limits.items())
    text = (
        f'[dataset]\nname = "x"\n[select]\narchives = ["none"]\n[dedup]\nearlier = {list(map(str, earlier))}\n{limits}'
    )
    recipe = recipe_file.loads(text)
    try:
        for module, name in ((unique, "unique"), (frequent, "frequent")):
            module.Worker(Settings.encode(lake, recipe, "d", 1)).run({"parts": module.plan(recipe, lake)})
            lake.step(name).write_plan(Plan(step=name, digest="d", parts={}))
    finally:
        leave(lake)
    tables = [pq.read_table(lake.at(file)) for file in lake.step("unique").files()]
    return pa.concat_tables(tables), lake.step("unique").counts()["candidate"], frequent.load(lake)


def pair(host, image, caption):
    return (f"https://{host}.example/{image}.jpg", f"caption {caption}")


pairs = st.lists(st.builds(pair, st.integers(0, 5), st.integers(0, 3), st.integers(0, 3)), max_size=30)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(pairs, min_size=1, max_size=3))
def test_each_pair_stays_once_whatever_part_it_comes_from(tmp_path_factory, parts):
    table, tally, _ = dedup(tmp_path_factory.mktemp("set"), parts, max_url_seen=0)
    everything = [p for part in parts for p in part]
    kept = list(zip(table["url"].to_pylist(), table["caption"].to_pylist(), strict=True))
    assert sorted(kept) == sorted(set(everything))
    assert dict(zip(kept, table["seen"].to_pylist(), strict=True)) == {p: everything.count(p) for p in everything}
    assert tally == Tally(
        len(everything), len(kept), {"duplicate": len(everything) - len(kept)} if len(everything) > len(kept) else {}
    )


def test_what_an_earlier_dataset_has_is_dropped(tmp_path):
    old = Lake(tmp_path / "old")
    with old.step("samples").part("00000", "d") as part:
        pq.write_table(rows([pair(1, 1, 1)], SAMPLES), part.file(".parquet"))
        part.commit({"sample": Tally(1, 1)})
    released = tmp_path / "released"
    released.mkdir()
    pq.write_table(rows([pair(2, 2, 2)], SAMPLES), released / "00000.parquet")
    table, tally, _ = dedup(
        tmp_path / "new", [[pair(1, 1, 1), pair(2, 2, 2), pair(1, 1, 2)]], earlier=[tmp_path / "old", released]
    )
    assert table["caption"].to_pylist() == ["caption 2"]
    assert table["url"].to_pylist() == [pair(1, 1, 2)[0]]
    assert tally.dropped == {"duplicate_earlier": 2}


def test_an_image_seen_too_often_is_dropped_with_all_its_captions(tmp_path):
    often = [pair(1, 1, n % 3) for n in range(6)]
    table, tally, _ = dedup(tmp_path, [often, [pair(1, 2, 9)]], max_url_seen=5)
    assert table["url"].to_pylist() == [pair(1, 2, 9)[0]]
    assert tally.dropped == {"duplicate": 3, "url_too_frequent": 3}


def test_captions_with_too_many_images_are_listed(tmp_path):
    parts = [[pair(host, image, 1) for image in range(3)] for host in range(2)] + [[pair(1, 9, 2)]]
    _, _, keys = dedup(tmp_path, parts, max_caption_seen=5)
    assert keys.tolist() == [key64("caption 1")]
    assert dedup(tmp_path / "b", parts, max_caption_seen=6)[2].tolist() == []


def test_a_bucket_larger_than_a_slice_is_written_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(unique, "SLICE_ROWS", 3)
    table, _, _ = dedup(tmp_path, [[pair(1, n, 1) for n in range(20)]], max_url_seen=0)
    keys = table["url_key"].to_numpy()
    assert len(keys) == 20
    assert (np.diff(keys.astype(object)) > 0).all()


def test_buckets_are_powers_of_two_within_bounds():
    assert [bucket_count(n) for n in (0, 10_000_000, 100_000_000, 10**12)] == [8, 16, 128, 4096]


def test_an_earlier_dataset_that_is_none_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(recipe_file.RecipeError, match="holds no dataset"):
        dedup(tmp_path / "new", [[pair(1, 1, 1)]], earlier=[tmp_path / "empty"])


def test_a_table_of_buckets_has_dictionaries_where_values_repeat_and_statistics_of_numbers(tmp_path):
    schema = pa.schema([*CANDIDATES, pa.field("lines", pa.list_(pa.uint64()))])
    repeated = [rows([pair(1, n, 1)], schema) for n in range(30)]
    lines = pa.array([[1, 2, 3]] * 30, schema.field("lines").type)
    with BucketWriter(str(tmp_path / "x.parquet"), BUCKETS, schema) as out:
        out.write(pa.concat_tables(repeated).set_column(len(CANDIDATES), schema.field("lines"), lines))
    group = pq.ParquetFile(tmp_path / "x.parquet").metadata.row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    dictionaries = {c.path_in_schema for c in columns if "RLE_DICTIONARY" in c.encodings}
    assert dictionaries >= {"caption", "warc_file", "lines.list.element"}
    assert dictionaries.isdisjoint({"uid", "url", "url_key", "host_key"})
    statistics = {c.path_in_schema for c in columns if c.statistics is not None}
    assert statistics >= {"host_key", "captured_at", "seen"}
    assert statistics.isdisjoint({"url", "caption"})


def groups_of(path, tables):
    """Numbers of the images in each row group of a file of buckets."""
    with BucketWriter(str(path), BUCKETS) as out:
        for table in tables:
            out.write(table)
    file = pq.ParquetFile(path)
    return [file.read_row_group(group)["url"].to_pylist() for group in range(file.num_row_groups)]


def test_small_tables_share_row_groups_up_to_a_size(tmp_path, monkeypatch):
    tables = [rows([pair(host, image, 1) for host in (1, 2, 3)]) for image in range(4)]
    together = groups_of(tmp_path / "together.parquet", [*tables, rows([])])
    assert sorted(together) == sorted([pair(host, image, 1)[0] for image in range(4)] for host in (1, 2, 3))
    monkeypatch.setattr(buckets, "HELD_BYTES", 2 * tables[0].nbytes)
    assert len(groups_of(tmp_path / "in_twos.parquet", tables)) == 2 * len(together)
    assert groups_of(tmp_path / "none.parquet", []) == []


@pytest.fixture
def two_files(tmp_path):
    lake = Lake(tmp_path)
    names = ["a.parquet", "b.parquet"]
    for number, name in enumerate(names):
        groups_of(tmp_path / name, [rows([pair(host, number, 1) for host in range(20)])])
    return lake, names


@pytest.mark.parametrize("room", [0, buckets.FOOTER_BYTES])
def test_each_row_is_read_with_its_bucket_in_the_order_of_the_files(two_files, monkeypatch, room):
    monkeypatch.setattr(buckets, "FOOTER_BYTES", room)
    reader, found = buckets.BucketReader(*two_files), []
    for bucket in range(BUCKETS):
        table = pa.Table.from_batches(reader.batches(bucket, BUCKETS), CANDIDATES)
        assert set((table["host_key"].to_numpy() >> np.uint64(61)).tolist()) <= {bucket}
        urls = pa.Table.from_batches(reader.batches(bucket, BUCKETS, ["url"]), pa.schema([CANDIDATES.field("url")]))
        assert urls["url"].to_pylist() == table["url"].to_pylist()
        assert [url[-5] for url in urls["url"].to_pylist()] == sorted(url[-5] for url in urls["url"].to_pylist())
        found += urls["url"].to_pylist()
    assert sorted(found) == sorted(pair(host, number, 1)[0] for host in range(20) for number in range(2))


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-9])])
def test_a_file_of_candidates_that_is_damaged_is_named(two_files, damage):
    lake, names = two_files
    damage(lake.local / names[1])
    with pytest.raises(LakeError, match=r"b\.parquet can't be read"):
        list(buckets.BucketReader(lake, names).batches(0, BUCKETS))
