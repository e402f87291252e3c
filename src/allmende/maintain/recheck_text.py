"""What `allmende recheck` needs of a dataset of text: its documents' signals, and what was denied and is still there.

A page that reserved itself was dropped when it was read, and only counted. Where captured robots.txt decided, in a step of
its own, documents are still there, and a policy can allow them again. Memory: one part's rows without their words.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from allmende import tables
from allmende.lake import Lake
from allmende.maintain.live_pages import sample
from allmende.parts import Manifest
from allmende.steps.fates import DENIED
from allmende.steps.near import KEPT
from allmende.steps.permitted import TOLD
from allmende.tables import Tables

Rows = list[dict[str, Any]]

_COLUMNS = ["uid", "url", "language", "signals", "policy"]
_AT_ONCE = 256
"""Texts in memory."""


def documents(lake: Lake, *, sampled: bool = False) -> Iterator[Rows]:
    """Rows of each part that are in the release, with all that is known of their permission.

    Args:
        lake: The dataset.
        sampled: Also with what their texts are known by (`live_pages.sample`), as `known`.
    """
    for manifest in lake.step("documents").manifests():
        stays = _of_part(lake, "near", KEPT, manifest).column("row").to_pylist()
        more = {row["row"]: row["signals"] for row in _told(lake, manifest)}
        rows = _rows(lake, manifest, dict.fromkeys(stays, ()) | {row: more[row] for row in stays if row in more})
        if sampled:
            _add_samples(lake, manifest, rows)
        yield [row for row in rows if row["uid"]]


def reserved(lake: Lake) -> Iterator[Rows]:
    """Rows of each part that captured robots.txt denied, with the signals that were told of them."""
    for manifest in lake.step("documents").manifests():
        rows = _rows(lake, manifest, {row["row"]: row["signals"] for row in _told(lake, manifest) if row["reason"]})
        yield [row for row in rows if row["uid"]]


def not_kept(lake: Lake) -> dict[str, int]:
    """How many pages were denied when they were read, by the signal that decided."""
    found: Counter[str] = Counter()
    for manifest in (*lake.step("pages").manifests(), *lake.step("documents").manifests()):
        for name, count in manifest.facts.items():
            if name.startswith(DENIED):
                found[name.removeprefix(DENIED).partition("_")[2]] += count
    return dict(found.most_common())


def _told(lake: Lake, manifest: Manifest) -> Rows:
    """What captured robots.txt says of rows of a part."""
    return _of_part(lake, "permitted", TOLD, manifest).to_pylist()  # type: ignore[no-any-return]


def _of_part(lake: Lake, step: str, schema: pa.Schema, manifest: Manifest) -> pa.Table:
    return Tables(lake, lake.step(step).files(), schema).read(pc.field("part") == int(manifest.part))


def _rows(lake: Lake, manifest: Manifest, wanted: dict[int, Any]) -> Rows:
    """Rows of a part by number, further signals before their own; without uid those that a take-down left blank."""
    table = tables.read(lake, f"documents/{manifest.file('.parquet')}", _COLUMNS)
    numbers = sorted(wanted)
    rows: Rows = table.take(pa.array(numbers, pa.int64())).to_pylist()
    for row, number in zip(rows, numbers, strict=True):
        row["row"] = number
        row["signals"] = [*(wanted[number] or ()), *(row["signals"] or ())]
    return rows


def _add_samples(lake: Lake, manifest: Manifest, rows: Rows) -> None:
    wanted = {row["row"]: row for row in rows}
    begin = 0
    for batch in tables.batches(lake, f"documents/{manifest.file('.parquet')}", ["text"], _AT_ONCE):
        for number, text in enumerate(batch.column("text").to_pylist(), start=begin):
            if number in wanted:
                wanted[number]["known"] = sample(text or "")
        begin += len(batch)
