import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.errors import RecipeError
from allmende.publish import Shard, load_sink, sink_names
from allmende.publish.sink import index_digits


def test_keys_are_those_of_img2dataset():
    """compute_key(key=42, shard_id=7, oom_sample_per_shard=4, oom_shard_count=5) of img2dataset 1.47."""
    assert Shard(7).key(42) == "000070042"
    assert Shard(7, index_digits=5).key(42) == "0000700042"
    assert Shard(123_456).key(42) == "1234560042"


@given(largest=st.integers(0, 10**7))
def test_index_digits_hold_the_largest_shard(largest):
    digits = index_digits(largest)
    assert digits >= 4
    assert largest <= 10**digits
    assert digits == 4 or largest > 10 ** (digits - 1)


@given(first=st.integers(0, 10**6), last=st.integers(0, 9999))
def test_keys_sort_like_samples(first, last):
    assert Shard(first).key(last) < Shard(first + 1).key(0) or len(Shard(first + 1).key(0)) > len(
        Shard(first).key(last)
    )


def test_built_in_sinks_are_entry_points():
    assert {"files", "parquet", "webdataset"} <= set(sink_names())
    assert type(load_sink("files")).__name__ == "Files"


def test_a_name_that_two_packages_claim_is_refused(tmp_path, monkeypatch):
    for package in ("one", "two"):
        folder = tmp_path / f"{package}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[allmende.sinks]\ntwin = {package}:Sink\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(RecipeError, match="one:Sink and two:Sink"):
        load_sink("twin")
