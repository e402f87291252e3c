"""Folders and what Allmende puts into them: datasets, plans, manifests."""

from collections import Counter

import fsspec
import msgspec

from allmende.dataset import Dataset
from allmende.inspect.finding import Finding, examples
from allmende.parts import Manifest, Plan

_FILES_SHOWN = 20


def folder(location: str, rows: int) -> Finding:
    """A dataset with its steps, or any other folder with its files by extension."""
    fs, path = fsspec.core.url_to_fs(location)
    if fs.exists(f"{path}/recipe.toml"):
        return _dataset(location)
    entries = fs.ls(path, detail=True)
    files = [entry for entry in entries if entry["type"] == "file"]
    names = [entry["name"].rsplit("/", 1)[-1] for entry in files]
    extensions = Counter(name.partition(".")[2].lower() or "(none)" for name in names)
    return Finding(
        kind="folder",
        bytes=sum(int(entry["size"] or 0) for entry in files),
        facts={"files": len(files), "folders": len(entries) - len(files)},
        counts={"Files": dict(extensions.most_common(_FILES_SHOWN))} if files else {},
        examples=examples({"file": name} for name in sorted(names)[:rows]),
    )


def _dataset(location: str) -> Finding:
    dataset = Dataset(location)
    recipe = dataset.recipe
    finding = Finding(
        kind="Allmende dataset",
        facts={"name": recipe.dataset.name, "sink": recipe.publish.sink, "image format": recipe.images.format},
    )
    for step in dataset.status():
        finding.facts[step.step] = step.idle or f"{step.finished} of {step.parts} parts"
        for unit, tally in step.counts.items():
            finding.counts[f"{step.step}: {unit}"] = {"seen": tally.seen, "kept": tally.kept} | tally.dropped
    return finding


def manifest(content: bytes) -> Finding | None:
    """A part's manifest or a step's plan; None if the JSON is neither."""
    try:
        return _manifest(msgspec.json.decode(content, type=Manifest))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        plan = msgspec.json.decode(content, type=Plan)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    first = dict(list(plan.parts.items())[:5])
    return Finding(
        kind="Allmende plan: the parts of a step",
        facts={"step": plan.step, "parts": len(plan.parts), "digest": plan.digest},
        examples=examples({"part": name} | part for name, part in first.items()),
    )


def _manifest(of: Manifest) -> Finding:
    counts = {
        unit: {"seen": tally.seen, "kept": tally.kept} | {str(reason): count for reason, count in tally.dropped.items()}
        for unit, tally in of.counts.items()
    }
    unbalanced = [unit for unit, tally in of.counts.items() if not tally.balanced()]
    return Finding(
        kind="Allmende manifest: what one part holds",
        facts={"step": of.step, "part": of.part, "seconds": str(of.seconds)} | of.facts,
        counts=counts | {"Files (bytes)": {name: file.bytes for name, file in of.files.items()}},
        problems=tuple(f"Rows of unit {unit} are lost: seen is not kept + dropped." for unit in unbalanced),
    )
