import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from allmende.engine import Engine, Failure
from allmende.errors import EngineError, RecipeError, SourceError


class Doubler:
    """A worker that doubles, and does what the task tells it to."""

    def __init__(self, settings):
        if not settings["factor"]:
            raise RecipeError("no factor")
        self.factor = settings["factor"]

    def run(self, task):
        if task.get("raise"):
            raise SourceError("no such archive")
        if task.get("bug"):
            return {"ratio": 1 / 0}
        if task.get("die"):
            os._exit(9)
        if task.get("arrow"):
            import pyarrow as pa

            return {"first": pa.array([1])[0].as_py(), "modules": list(sys.modules)}
        if "touch" in task:
            Path(task["touch"]).touch()
        if "wait" in task:
            Path(task["tell"]).write_text(str(os.getpid()))
            until = time.monotonic() + 30
            while not Path(task["wait"]).exists():
                if time.monotonic() > until:
                    raise SourceError("nobody came")
                time.sleep(0.01)
        return {"doubled": task["number"] * self.factor, "pid": os.getpid()}


@pytest.fixture
def engine(monkeypatch):
    engine = Engine(workers=2)
    for name in ("DAFT_ANALYTICS_ENABLED", "DO_NOT_TRACK", "RAY_USAGE_STATS_ENABLED", "DAFT_PROGRESS_BAR"):
        monkeypatch.setenv(name, "0")
    engine.start()
    return engine


def test_every_task_is_done_once_in_processes_of_their_own(engine, worker):
    answers = list(engine.run(worker, {"factor": 2}, ({"number": n} for n in range(20))))
    assert sorted(a["doubled"] for a in answers) == [2 * n for n in range(20)]
    assert os.getpid() not in {a["pid"] for a in answers}


def test_an_error_of_ours_spares_the_other_tasks(engine, worker):
    answers = list(engine.run(worker, {"factor": 2}, [{"number": 1}, {"raise": True}, {"number": 3}]))
    [failure] = [a for a in answers if isinstance(a, Failure)]
    assert isinstance(failure.error, SourceError)
    assert str(failure.error) == "no such archive"
    assert sorted(a["doubled"] for a in answers if isinstance(a, dict)) == [2, 6]


def test_so_is_one_of_a_worker_that_can_not_be_made(engine, worker):
    [failure, _] = engine.run(worker, {"factor": 0}, [{"number": 1}, {"number": 2}])
    assert (type(failure.error), str(failure.error)) == (RecipeError, "no factor")


def test_a_bug_arrives_with_its_traceback(engine, worker):
    with pytest.raises(EngineError, match="ZeroDivisionError"):
        list(engine.run(worker, {"factor": 2}, [{"bug": True}]))


def test_a_worker_that_dies_is_an_engine_error(engine, worker):
    with pytest.raises(EngineError, match="Run the same command again"):
        list(engine.run(worker, {"factor": 2}, [{"die": True}]))


def test_a_free_worker_does_not_wait_for_one_with_a_long_task(engine, worker, tmp_path):
    flag = str(tmp_path / "flag")
    tasks = [{"wait": flag, "tell": flag + ".pid", "number": 0}, *({"number": n} for n in range(10))]
    answers = list(engine.run(worker, {"factor": 2}, [*tasks, {"touch": flag, "number": 10}]))
    assert not [a for a in answers if isinstance(a, Failure)]


def test_whoever_leaves_halfway_waits_for_no_worker(engine, worker, tmp_path):
    pid = tmp_path / "pid"
    tasks = [{"wait": str(tmp_path / "never"), "tell": str(pid)}, *({"number": n} for n in range(20))]
    answers = engine.run(worker, {"factor": 2}, tasks)
    next(answers)
    while not pid.exists() or not pid.read_text():
        time.sleep(0.01)
    answers.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


@pytest.mark.parametrize("here", [False, True])
@pytest.mark.parametrize(("task", "code"), [("{'bug': True}", 1), ("{'number': 1}", 0)])
def test_a_process_ends_well_right_after_its_work(worker, here, task, code):
    script = (
        "from allmende.engine import Engine; from doubler_for_test import Doubler\n"
        "if __name__ == '__main__':\n"
        "    engine = Engine(workers=2); engine.start()\n"
        f"    tasks = [{task}, *({{'number': number}} for number in range(20))]\n"
        f"    answers = list(engine.run(Doubler, {{'factor': 2}}, tasks, here={here}))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "ZeroDivisionError" in done.stderr) == (code, bool(code))


def test_arrow_does_not_load_pandas_in_a_worker(engine, worker, tmp_path):
    (tmp_path / "pandas.py").write_text("raise SystemExit('loaded')")
    [answer] = engine.run(worker, {"factor": 2}, [{"arrow": True}])
    assert answer["first"] == 1
    assert "pandas" not in answer["modules"]


def test_pandas_is_there_all_the_same(tmp_path):
    (tmp_path / "pandas.py").write_text("")
    script = "from allmende.engine import spare_pandas; spare_pandas(); spare_pandas(); import pandas; spare_pandas()"
    subprocess.run([sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": str(tmp_path)}, check=True)


def test_no_tasks_no_processes(engine, worker):
    assert list(engine.run(worker, {"factor": 2}, [])) == []


def test_an_unknown_engine_is_refused():
    with pytest.raises(RecipeError, match="choose local or ray"):
        Engine("spark").start()


@pytest.fixture
def worker(tmp_path, monkeypatch):
    """`Doubler`, importable by name in the worker processes."""
    import importlib
    import inspect

    (tmp_path / "doubler_for_test.py").write_text(
        "import os\nimport sys\nimport time\nfrom pathlib import Path\nfrom allmende.errors import RecipeError, SourceError\n\n"
        + inspect.getsource(Doubler)
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return importlib.import_module("doubler_for_test").Doubler
