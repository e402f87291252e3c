import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.publish.sink import Shard
from allmende.publish.unsafe import PICKLES, why_unsafe


@pytest.mark.parametrize(
    "name", ["00000.tar", "00000.parquet", "00000_stats.json", "00000/000000001.jpg", "README.md", "a..b.jpg", "ü.txt"]
)
def test_plain_names(name):
    assert why_unsafe(name) == ""


@pytest.mark.parametrize(
    "name",
    ["", "a\0b", "/a", "\\a", "C:a", "c:/a", "..", "a/../b", "a\\..\\b", "../a", "pipe:ls", "|ls", "s3://a/b", "a::b"],
)
def test_names_that_lead_elsewhere(name):
    assert why_unsafe(name)


@given(st.sampled_from(sorted(PICKLES)), st.sampled_from(["0.{}", "a/0.{}", "0.x.{}", "0.{}.gz", "0.{}.jpg"]))
def test_pickles_by_any_of_their_extensions(extension, form):
    assert "unpickle" in why_unsafe(form.format(extension))
    assert "unpickle" in why_unsafe(form.format(extension.upper()))


@given(st.text(max_size=40))
def test_a_name_is_judged_not_parsed(name):
    assert isinstance(why_unsafe(name), str)


@given(st.integers(0, 99_999))
def test_shards_of_ours_are_safe(number):
    assert why_unsafe(f"{Shard(number).name}/{Shard(number).key(0)}.webp") == ""
