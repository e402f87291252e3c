import pytest

from allmende.errors import LakeError


def test_ranges_of_several_files_come_in_the_order_asked_for(lake):
    for name in ("a.bin", "b.bin"):
        lake.write(name, name.encode() + bytes(range(10)))
    names, begins, ends = ["b.bin", "a.bin", "b.bin"], [0, 5, 7], [5, 7, 7]
    assert lake.read_ranges(names, begins, ends) == [b"b.bin", b"\0\1", b""]
    with pytest.raises(LakeError, match="not found"):
        lake.read_ranges(["c.bin"], [0], [1])
    with pytest.raises(LakeError, match=r"b\.bin can't be read: it ends before byte 9,999"):
        lake.read_ranges(names[:1], [0], [9_999])
