from importlib.resources import files

import pytest

import allmende
from allmende.cli.display import Plain, display
from allmende.lake import Lake
from allmende.lock import leave
from allmende.parts import Plan, Tally
from allmende.progress import Underway, Watch
from allmende.steps import candidate_part, candidates, samples
from allmende.steps.archive_parts import archives
from allmende.steps.step import Settings

ARCHIVES = str(files("allmende.demo") / "data" / "crawl-data" / "*" / "segments" / "*" / "wat" / "*.gz")
PLAN = Plan(step="samples", digest="d", parts={f"{n:05d}": {} for n in range(4)})


def commit(folder, part, seen, kept, round_=0):
    with folder.part(part, "d", round_) as writer:
        writer.commit({"sample": Tally(seen, kept, {"timeout_total": seen - kept})})


def test_a_watch_counts_what_appears_after_it_began(tmp_path):
    folder = Lake(tmp_path).step("samples")
    commit(folder, "00000", 50, 50)
    watch = Watch(folder, "sample", PLAN, set())
    assert watch.look().seconds_left is None
    commit(folder, "00001", 10, 7)
    commit(folder, "00002", 10, 8)
    state = watch.look()
    assert (state.parts, state.done, state.done_before, state.seen, state.kept) == (4, 3, 1, 20, 15)
    assert state.rate > 0
    assert state.seconds_left > 0
    assert watch.look().seen == 20


def test_parts_that_are_rewritten_count_once_they_are(tmp_path):
    folder = Lake(tmp_path).step("samples")
    commit(folder, "00000", 10, 5)
    commit(folder, "00001", 10, 5)
    watch = Watch(folder, "sample", PLAN, {"00001"})
    assert watch.look().done == 1
    commit(folder, "00001", 10, 9, round_=1)
    state = watch.look()
    assert (state.done, state.kept) == (2, 9)


def test_rows_of_parts_that_are_not_finished_count_for_rate_and_time_left(tmp_path):
    folder = Lake(tmp_path).step("samples")
    plan = Plan(step="samples", digest="d", parts={f"{n:05d}": {"begin": 10 * n, "end": 10 * n + 10} for n in range(4)})
    commit(folder, "00000", 10, 10)
    killed = tmp_path / "samples" / ".rows-0"
    killed.mkdir()
    (killed / "rows").write_text("5")
    watch = Watch(folder, "sample", plan, set())
    with Underway(folder) as underway:
        assert watch.look().seconds_left is None
        assert underway.due
        underway.tell(6)
        state = watch.look()
        assert (state.rows, state.seen, state.underway, state.done) == (30, 0, 6, 1)
        assert state.seconds_left == pytest.approx(4 * state.seconds)
        commit(folder, "00001", 10, 7)
        underway.tell(25)  # another part, and the one that is finished: for a moment it counts twice
        assert watch.look().seconds_left == 0
    assert watch.look().underway == 0
    folder.sweep()
    assert not list((tmp_path / "samples").glob(".rows-*"))


def test_a_store_holds_no_notes():
    with Underway(Lake("memory://set").step("samples")) as underway:
        assert not underway.due
        underway.tell(3)


def test_nothing_is_lost_where_no_note_can_be_written(tmp_path):
    (tmp_path / "samples").write_text("no folder")
    folder = Lake(tmp_path).step("samples")
    with Underway(folder) as underway:
        underway.tell(3)


@pytest.fixture
def told(monkeypatch):
    """What workers of this process tell."""
    rows = []

    class Told(Underway):
        due = True

        def tell(self, number):
            rows.append(number)

    for step in (candidate_part, samples):
        monkeypatch.setattr(step, "Underway", Told)
    return rows


def test_a_fetch_tells_how_far_its_parts_are(tmp_path, told):
    (tmp_path / "urls.txt").write_text("".join(f"http://127.0.0.1:9/{n}\n" for n in range(3)))
    allmende.download(str(tmp_path / "urls.txt"), str(tmp_path / "set"))  # refused: such addresses are not public
    assert told == [1, 2, 0]


def test_archives_tell_how_far_they_are_read(tmp_path, told):
    recipe = allmende.loads(f'[dataset]\nname = "set"\n[select]\narchives = ["{ARCHIVES}"]')
    lake = Lake(tmp_path)
    parts = {"00000": {"archives": archives(recipe), "buckets": 1}}
    try:
        candidates.Worker(Settings.encode(lake, recipe, "d", 1)).run({"parts": parts})
    finally:
        leave(lake)
    assert told == sorted(told)
    assert told[-1] == lake.step("candidates").counts()["candidate"].seen


def test_plain_lines_tell_parts_rows_and_share(tmp_path, capsys):
    folder = Lake(tmp_path).step("samples")
    with Plain().step(folder, "sample", PLAN, set()):
        for part in PLAN.parts:
            commit(folder, part, 1000, 900)
    said = capsys.readouterr().err
    assert said.startswith("samples: 4/4 parts · 4,000 samples · ")
    assert said.endswith("90% kept\n")


def test_a_step_that_counts_no_rows_tells_its_parts(tmp_path, capsys):
    folder = Lake(tmp_path).step("frequent")
    plan = Plan(step="frequent", digest="d", parts={"00000": {}})
    with Plain().step(folder, "caption", plan, set()), folder.part("00000", "d") as writer:
        writer.commit({})
    assert capsys.readouterr().err == "frequent: 1/1 parts\n"


def test_nobody_listens_to_a_quiet_display(tmp_path, capsys):
    with display(quiet=True).step(Lake(tmp_path).step("samples"), "sample", PLAN, set()):
        pass
    assert capsys.readouterr().err == ""
