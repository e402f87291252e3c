import pytest

from allmende.lake import Lake


@pytest.fixture(params=["local", "memory"])
def lake(request, tmp_path):
    """An empty dataset, on a disk and in an object store."""
    if request.param == "local":
        (tmp_path / "set").mkdir()
        yield Lake(tmp_path / "set")
        return
    lake = Lake(f"memory://{tmp_path.name}")
    yield lake
    lake.fs.store.clear()
