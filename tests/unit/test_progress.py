from allmende.cli.display import Plain, display
from allmende.lake import Lake, Plan, Tally
from allmende.progress import Watch

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
