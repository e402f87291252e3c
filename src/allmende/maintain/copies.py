"""Where a dataset's shards lie, and what its manifests say of them: with or without the lake that they were built in.

A build's folder has `recipe.toml` and `release/shards/`; a copy of the release has `shards/`, or is that folder itself.
Manifests of parts (`part-*.json`) travel with the shards.
"""

import msgspec

from allmende import recipe_file
from allmende.errors import LakeError, LakeTooNew, Untrusted
from allmende.lake import Lake
from allmende.maintain.problem import Flaw, Problems
from allmende.parts import File, Manifest, StepFolder
from allmende.publish import manifest as form
from allmende.publish.jsonl import SUFFIX as JSONL
from allmende.publish.unsafe import why_unsafe
from allmende.recipe import Recipe
from allmende.storage import explained

FOLDERS = ("release/shards", "shards")
_ENDS = (".parquet", ".tar", JSONL)


class Copy(msgspec.Struct, frozen=True):
    """A dataset, as far as it is here."""

    root: str
    """As it was asked for."""
    lake: Lake
    folder: str
    """Where the shards are, relative to the lake."""
    recipe: Recipe | None
    """None if it is not there; a copy of the release has it, too."""
    sink: str
    """webdataset, parquet, files or jsonl, told by the files themselves."""
    shards: tuple[str, ...]
    """Their names, sorted."""
    files: dict[str, int]
    """What lies in the folder and below, with sizes; hidden files left out."""

    @property
    def built_here(self) -> bool:
        """True if the build's other steps lie here, too."""
        return self.folder == FOLDERS[0]

    def at(self, name: str) -> str:
        """Name in the lake of a file among the shards."""
        return f"{self.folder}/{name}"


def locate(location: str) -> Copy:
    """Finds the shards.

    Raises:
        LakeError: There are none.
    """
    lake = Lake(location)
    recipe = None
    if lake.exists("recipe.toml"):
        recipe = recipe_file.loads(lake.read("recipe.toml"), lake.url("recipe.toml"))
    parent, _, last = lake.root.rpartition("/")
    for holder, folder in (*((lake, folder) for folder in FOLDERS), (Lake(parent or "."), last)):
        files = _listing(holder, folder)
        stems = {stem for name in files for end in _ENDS if (stem := name.removesuffix(end)) != name}
        shards = tuple(sorted(stem for stem in stems if stem.isdecimal()))
        if shards:
            return Copy(lake.root, holder, folder, recipe, _sink(files), shards, files)
    raise LakeError(
        f"No shards at {location}: neither release/shards, shards nor the folder itself has any. Build the dataset first."
    )


def _listing(lake: Lake, folder: str) -> dict[str, int]:
    root = lake.at(folder)
    with explained("Listing", lake.url(folder)):
        lake.fs.invalidate_cache(root)
        found = lake.fs.find(root, detail=True) if lake.fs.exists(root) else {}
    names = {str(path)[len(root) :].lstrip("/"): int(entry["size"] or 0) for path, entry in found.items()}
    return {name: size for name, size in names.items() if not name.startswith(".")}


def _sink(files: dict[str, int]) -> str:
    if any(name.endswith(".tar") for name in files):
        return "webdataset"
    if any(name.endswith(JSONL) for name in files):
        return "jsonl"
    return (
        "files" if any(name.endswith(".json") and name.partition("/")[0].isdecimal() for name in files) else "parquet"
    )


class Recorded(msgspec.Struct):
    """What the manifests say."""

    files: dict[str, File] = msgspec.field(default_factory=dict)
    """Among the shards."""
    others: dict[str, File] = msgspec.field(default_factory=dict)
    """Names in the lake of the release's other files: card, report, ..."""
    rows: dict[str, int] = msgspec.field(default_factory=dict)
    """Samples of each shard, by name."""
    samples: int | None = None
    """In all, says the manifest of the release."""
    version: str = ""
    """Of the release; empty if nothing tells."""


def read_manifests(copy: Copy, problems: Problems) -> Recorded:
    """The manifests of the parts and of the release; damaged ones are problems."""
    found = Recorded()
    step = copy.lake.step(copy.folder)
    for name in sorted(copy.files):
        if name.startswith("part-") and name.endswith(".json"):
            manifest = read_manifest(step, name[5:-5], name, problems)
            if manifest is not None:
                _take(found, manifest.files, name, problems)
                for tally in (manifest.counts.get(unit) for unit in ("sample", "document")):
                    if tally is not None:
                        found.rows[manifest.part] = tally.kept
    _read_release(copy, found, problems)
    return found


def _read_release(copy: Copy, found: Recorded, problems: Problems) -> None:
    """The manifest of the release, which lies beside the folder of the shards."""
    beside = copy.folder.rpartition("/")[0]
    name = f"{beside}/{form.NAME}" if beside else form.NAME
    if not copy.lake.exists(name):
        return
    try:
        manifest = form.decode(copy.lake.read(name), copy.lake.url(name))
    except Untrusted as error:
        problems.add(Flaw.MANIFEST_DAMAGED, name, str(error))
        return
    found.samples, found.version = manifest.samples, manifest.version
    shards = f"{copy.folder.rpartition('/')[2]}/"
    files = {path: File(file.bytes, file.sha256) for path, file in manifest.files.items()}
    _take(found, {path[len(shards) :]: file for path, file in files.items() if path.startswith(shards)}, name, problems)
    others = {path: file for path, file in files.items() if not path.startswith(shards) and not why_unsafe(path)}
    found.others = {f"{beside}/{path}" if beside else path: file for path, file in others.items()}


def _take(found: Recorded, files: dict[str, File], manifest: str, problems: Problems) -> None:
    for path, file in files.items():
        known = found.files.get(path)
        if why := why_unsafe(path):
            problems.add(Flaw.UNSAFE, f"{manifest}, file {path}", why)
        elif known is not None and (known.bytes, known.sha256 or file.sha256) != (file.bytes, file.sha256):
            problems.add(
                Flaw.MANIFEST_DAMAGED, f"{manifest}, file {path}", "another manifest says something else of it"
            )
        else:
            found.files[path] = file


def read_manifest(step: StepFolder, part: str, name: str, problems: Problems) -> Manifest | None:
    """A manifest of a part, or None and a problem."""
    try:
        manifest = step.manifest(part)
    except LakeTooNew:
        raise
    except LakeError as error:
        problems.add(Flaw.MANIFEST_DAMAGED, name, str(error).partition(". Delete")[0])
        return None
    for unit, tally in manifest.counts.items():
        if not tally.balanced():
            problems.add(Flaw.COUNT, name, f"{unit}s are lost: seen is not kept + dropped")
    return manifest
