import json
import multiprocessing

import pytest

from allmende.errors import LakeLocked
from allmende.lake import Lake
from allmende.lock import locked


def _hold(root, ready, go):
    with locked(Lake(root)):
        ready.set()
        go.wait(30)


def test_two_builds_on_one_folder_are_refused(tmp_path):
    context = multiprocessing.get_context("spawn")
    ready, go = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(str(tmp_path), ready, go))
    other.start()
    try:
        assert ready.wait(30)
        with pytest.raises(LakeLocked, match=f"process {other.pid} "), locked(Lake(tmp_path)):
            pass
        other.kill()
        other.join()
        with locked(Lake(tmp_path)):  # killed, and the lock is free at once
            pass
    finally:
        other.kill()
        other.join()
        other.close()


def test_a_lease_in_an_object_store_excludes_until_it_ends(monkeypatch):
    lake = Lake("memory://leased")
    with locked(lake):
        with pytest.raises(LakeLocked, match="another build"), locked(Lake("memory://leased")):
            pass
        lease = json.loads(lake.read(".lock"))
        lake.write(".lock", json.dumps({**lease, "until": 0}).encode())
        with locked(Lake("memory://leased")):  # its owner is long dead
            pass
        lake.write(".lock", b"{}")
    lake.fs.store.clear()
