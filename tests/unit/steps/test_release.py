"""How samples come to their shards."""

from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende import recipe_file
from allmende.lake import Lake
from allmende.lock import leave
from allmende.parts import Tally, part_id
from allmende.schema import SAMPLES
from allmende.steps.release import Worker, _cuts, cut_of, mean_size, plan, tasks
from allmende.steps.step import Settings
from allmende.testing.samples import sample

KEYS = st.integers(0, 2**64 - 1)


def table(keys):
    return pa.table({"order_key": pa.array(sorted(keys), pa.uint64())})


@given(st.lists(KEYS, max_size=40), st.integers(1, 50))
def test_every_sample_is_in_the_shard_of_its_key(keys, cuts):
    whole = table(keys)
    shards = [_cuts(whole, cut, cut, cuts).column("order_key").to_pylist() for cut in range(cuts)]
    assert list(chain.from_iterable(shards)) == sorted(keys)
    for cut, shard in enumerate(shards):
        assert {cut_of(key, cuts) for key in shard} <= {cut}


@given(st.lists(KEYS, min_size=1, max_size=40, unique=True), st.integers(1, 20), st.data())
def test_a_sample_that_goes_changes_no_other_shard(keys, cuts, data):
    gone = data.draw(st.sampled_from(keys))
    before, after = table(keys), table(set(keys) - {gone})
    changed = [cut for cut in range(cuts) if not _cuts(before, cut, cut, cuts).equals(_cuts(after, cut, cut, cuts))]
    assert changed == [cut_of(gone, cuts)]


@pytest.mark.parametrize("shard_size", [1, 500, 9_000, 10_000, 10_001, 99_999, 100_000])
def test_shards_have_the_size_asked_for_unless_keys_could_overflow(shard_size):
    digits = max(4, len(str(shard_size - 1)))
    assert mean_size(shard_size) == min(shard_size, 10**digits - 6 * 10 ** (digits / 2))


def test_no_shard_is_larger_than_its_keys():
    keys = np.random.default_rng(1).integers(0, 2**64, 940_000, np.uint64)
    assert np.bincount((keys >> np.uint64(32)) * np.uint64(100) >> np.uint64(32)).max() < 10_000


@given(st.integers(1, 200), st.sets(st.integers(0, 199)))
def test_a_task_is_one_shard_or_a_run_of_shards_up_to_a_sixteenth_of_a_group(cuts, finished):
    parts = {
        f"{group}{cut}": {"samples": [group], "cut": cut, "of": cuts}
        for group in "ab"
        for cut in range(cuts)
        if cut not in finished
    }
    found = tasks(parts, 2)
    assert {name: part for task in found for name, part in task.items()} == parts
    assert len(found) < 2 * 32
    for task in found:
        assert len({tuple(part["samples"]) for part in task.values()}) == 1
        wanted = [part["cut"] for part in task.values()]
        assert max(wanted) - min(wanted) < max(1, cuts / 16)


def samples_in_parts(lake, parts, rows):
    """A dataset that has its samples, and no shard yet."""
    for number in range(parts):
        made = sorted((sample(number * rows + seed) for seed in range(rows)), key=lambda made: made[0]["order_key"])
        offset = 0
        with lake.step("samples").part(part_id(number), "d") as part, part.file(".bin").open("wb") as images:
            for row, image in made:
                row["data_offset"] = offset
                offset += images.write(image)
            images.flush()
            pq.write_table(pa.Table.from_pylist([row for row, _ in made], SAMPLES), part.file(".parquet"))
            part.commit({"sample": Tally(rows, rows)})


def release(lake, shard_size, grouped):
    """Digests of all files of a release, its shards made in these tasks."""
    recipe = recipe_file.loads(
        f'[dataset]\nname = "s"\n[select]\nurls = ["u.csv"]\n[publish]\nshard_size = {shard_size}'
    )
    worker = Worker(Settings.encode(lake, recipe, "d", 1))
    try:
        for task in grouped(plan(recipe, lake)):
            worker.run({"parts": task})
    finally:
        leave(lake)
    found = {name: file.sha256 for m in lake.step("release/shards").manifests() for name, file in m.files.items()}
    seen = lake.step("release/shards").counts()["sample"].seen
    lake.step("release/shards").discard()
    return found, seen


def test_shards_are_the_same_however_many_a_task_makes(tmp_path):
    lake = Lake(tmp_path)
    samples_in_parts(lake, parts=3, rows=40)
    alone, seen = release(lake, 3, lambda parts: [{name: part} for name, part in parts.items()])
    assert (len(alone), seen) == (3 * 40, 120)  # an archive, a table and counts for each of 40 shards
    assert release(lake, 3, lambda parts: tasks(parts, 2)) == (alone, 120)
    odd = {name for name in alone if int(name[4]) % 2}
    some, _ = release(lake, 3, lambda parts: tasks({n: p for n, p in parts.items() if int(n) % 2}, 2))
    assert some == {name: alone[name] for name in odd}
