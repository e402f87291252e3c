import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from allmende import recipe_file
from allmende.lake import Lake
from allmende.lock import leave
from allmende.parts import Plan
from allmende.steps.order import steps
from allmende.steps.step import Settings


class TextDataset:
    """A dataset of text whose steps are run one by one, in this process."""

    def __init__(self, root, archives, sections="", name="set", careful=False):
        self.lake = Lake(root / name)
        (root / name).mkdir(parents=True, exist_ok=True)
        paths = []
        for number, archive in enumerate(archives):
            path = root / f"{name}-{number:02d}.warc.gz"
            path.write_bytes(archive if isinstance(archive, bytes) else archive.to_bytes())
            paths.append(str(path))
        head = f'[dataset]\nname = "{name}"\nkind = "text"\noutput = "{root / name}"\n[select]\narchives = {paths}\n'
        loaded = recipe_file.loads(head + sections)
        # The careful extractor is a process of its own, which few tests are about.
        self.recipe = msgspec.structs.replace(loaded, text=msgspec.structs.replace(loaded.text, careful=careful))
        (root / name / "recipe.toml").write_text(recipe_file.dumps(self.recipe))

    def run(self, *names):
        known = {step.name: step for step in steps(self.recipe)}
        for name in names:
            parts = known[name].plan(self.recipe, self.lake)
            self.lake.step(name).write_plan(Plan(step=name, digest="d", parts=parts))
            try:
                known[name].worker(Settings.encode(self.lake, self.recipe, "d", 1)).run({"parts": parts})
            finally:
                leave(self.lake)
        return self

    def rows(self, step, suffix=".parquet"):
        return pa.concat_tables([pq.read_table(self.lake.at(name)) for name in self.lake.step(step).files(suffix)])

    def released(self):
        names = [f"release/shards/{n}" for m in self.lake.step("release/shards").manifests() for n in m.files]
        return [row for name in names for row in pq.read_table(self.lake.at(name)).to_pylist()]

    def tally(self, step, unit="document"):
        return self.lake.step(step).counts()[unit]

    def facts(self, step):
        total = {}
        for manifest in self.lake.step(step).manifests():
            for name, count in manifest.facts.items():
                total[name] = total.get(name, 0) + count
        return total


@pytest.fixture
def text_dataset(tmp_path):
    def make(archives, sections="", name="set", careful=False):
        return TextDataset(tmp_path, archives, sections, name, careful)

    return make
