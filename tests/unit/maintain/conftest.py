import msgspec
import pytest

from allmende import recipe_file
from allmende.lake import Lake
from allmende.lock import leave
from allmende.parts import Plan
from allmende.steps.order import steps
from allmende.steps.step import Settings


@pytest.fixture
def build_text(tmp_path):
    """Builds a dataset of text in this process; its lake."""

    def build(archives, sections="", name="set"):
        (tmp_path / name).mkdir()
        paths = [tmp_path / f"{name}-{number}.warc.gz" for number in range(len(archives))]
        for path, archive in zip(paths, archives, strict=True):
            path.write_bytes(archive.to_bytes())
        head = f'[dataset]\nname = "{name}"\nkind = "text"\n[select]\narchives = {list(map(str, paths))}\n'
        recipe = recipe_file.loads(head + sections)
        recipe = msgspec.structs.replace(recipe, text=msgspec.structs.replace(recipe.text, careful=False))
        (tmp_path / name / "recipe.toml").write_text(recipe_file.dumps(recipe))
        lake = Lake(tmp_path / name)
        for step in steps(recipe):
            parts = step.plan(recipe, lake)
            lake.step(step.name).write_plan(Plan(step=step.name, digest="d", parts=parts))
            try:
                step.worker(Settings.encode(lake, recipe, "d", 1)).run({"parts": parts})
            finally:
                leave(lake)
        return lake

    return build
