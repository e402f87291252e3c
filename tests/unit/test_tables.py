"""Tables of a dataset that are damaged, lacking or not there: each is an error that names it and says what to do."""

import errno

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from allmende import tables
from allmende.errors import LakeError
from allmende.lake import Lake
from allmende.tables import Tables

NAMES = [f"step/part-0000{part}.parquet" for part in range(3)]
SCHEMA = pa.schema([("part", pa.int32()), ("name", pa.string())])


@pytest.fixture
def lake(tmp_path):
    (tmp_path / "step").mkdir()
    for part in range(3):
        rows = [{"part": part, "name": f"{part}-{number}"} for number in range(1_000)]
        pq.write_table(pa.Table.from_pylist(rows, SCHEMA), tmp_path / f"step/part-0000{part}.parquet")
    return Lake(tmp_path)


def cut(path):
    path.write_bytes(path.read_bytes()[:-30])


def nothing(path):
    path.write_bytes(b"")


def a_hole(path):
    content = bytearray(path.read_bytes())
    content[20:400] = bytes(380)
    path.write_bytes(content)


def gone(path):
    path.unlink()


READERS = {
    "columns": lambda lake: tables.columns_of(lake, "step/part-00001.parquet"),
    "table": lambda lake: tables.read(lake, "step/part-00001.parquet", ["name"]),
    "batches": lambda lake: list(tables.batches(lake, "step/part-00001.parquet", ["name"], 10)),
    "all": lambda lake: Tables(lake, NAMES, SCHEMA).read(),
    "all in batches": lambda lake: list(Tables(lake, NAMES, SCHEMA).batches(columns=["name"])),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("damage", [cut, nothing, a_hole, gone])
def test_a_damaged_table_is_named_with_what_to_do(lake, reader, damage):
    if (reader, damage) == ("columns", a_hole):
        return  # where the names of columns are, it is sound
    damage(lake.local / "step/part-00001.parquet")
    with pytest.raises(LakeError, match=r"step/part-00001\.parquet can't be read: .+allmende verify") as caught:
        READERS[reader](lake)
    assert "made anew" in str(caught.value)


def test_one_of_several_that_disappears_is_named(lake):
    every = Tables(lake, NAMES, SCHEMA)
    gone(lake.local / "step/part-00002.parquet")
    with pytest.raises(LakeError, match=r"step/part-00002\.parquet can't be read: it is not there"):
        every.read()


def test_several_are_read_as_one(lake):
    every = Tables(lake, NAMES, SCHEMA)
    assert every.read(columns=["part"]).column("part").to_pylist() == [part for part in range(3) for _ in range(1_000)]
    found = list(every.batches(pc.field("part") == 2, ["name"], rows=300))
    assert [batch.num_rows for batch in found if batch.num_rows] == [300, 300, 300, 100]
    assert Tables(lake, [], SCHEMA).read().schema == SCHEMA


def test_tables_of_another_kind_are_an_error_with_their_folder(lake):
    for name in NAMES:
        pq.write_table(pa.table({"part": ["x"]}), lake.at(name))
    with pytest.raises(LakeError, match="step can't be read"):
        Tables(lake, NAMES, SCHEMA).read()


def test_what_is_said_of_another_file_is_left_as_it_is(lake):
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(OSError, match="No space left") as caught, lake.open(NAMES[0]):
        raise full
    assert caught.value is full
