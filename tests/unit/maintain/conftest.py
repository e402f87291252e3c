import msgspec
import pytest

from allmende import recipe_file
from allmende.lake import Lake, Plan
from allmende.lock import leave
from allmende.steps import near, permitted, release_texts, robots_captures, texts, unique_texts
from allmende.steps.step import Settings

STEPS = {
    "documents": texts,
    "robots": robots_captures,
    "permitted": permitted,
    "unique": unique_texts,
    "near": near,
    "release/shards": release_texts,
}


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
        of_captures = set() if recipe.permission.captures else {"robots", "permitted"}
        for step, module in STEPS.items():
            if step in of_captures:
                continue
            parts = module.plan(recipe, lake)
            lake.step(step).write_plan(Plan(step=step, digest="d", parts=parts))
            try:
                module.Worker(Settings.encode(lake, recipe, "d", 1)).run({"parts": parts})
            finally:
                leave(lake)
        return lake

    return build
