"""What `allmende recheck` needs of a dataset of text: its documents' signals, and what was denied and is still there.

A page that reserved itself was dropped when it was read, and only counted. Where captured robots.txt decided, in a step of
its own, documents are still there, and a policy can allow them again. Memory: one part's rows without their words.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
import pyarrow.parquet as pq

from allmende.lake import Lake, Manifest
from allmende.steps.near import KEPT
from allmende.steps.permitted import TOLD
from allmende.steps.texts import DENIED

Rows = list[dict[str, Any]]

_COLUMNS = ["uid", "url", "language", "signals", "policy"]


def documents(lake: Lake) -> Iterator[Rows]:
    """Rows of each part that are in the release, with all that is known of their permission."""
    for manifest in lake.step("documents").manifests():
        stays = _of_part(lake, "near", KEPT, manifest).column("row").to_pylist()
        more = {row["row"]: row["signals"] for row in _told(lake, manifest)}
        yield _rows(lake, manifest, dict.fromkeys(stays, ()) | {row: more[row] for row in stays if row in more})


def reserved(lake: Lake) -> Iterator[Rows]:
    """Rows of each part that captured robots.txt denied, with the signals that were told of them."""
    for manifest in lake.step("documents").manifests():
        yield _rows(lake, manifest, {row["row"]: row["signals"] for row in _told(lake, manifest) if row["reason"]})


def not_kept(lake: Lake) -> dict[str, int]:
    """How many pages were denied when they were read, by the signal that decided."""
    found: Counter[str] = Counter()
    for manifest in lake.step("documents").manifests():
        for name, count in manifest.facts.items():
            if name.startswith(DENIED):
                found[name.removeprefix(DENIED).partition("_")[2]] += count
    return dict(found.most_common())


def _told(lake: Lake, manifest: Manifest) -> Rows:
    """What captured robots.txt says of rows of a part."""
    return _of_part(lake, "permitted", TOLD, manifest).to_pylist()  # type: ignore[no-any-return]


def _of_part(lake: Lake, step: str, schema: pa.Schema, manifest: Manifest) -> pa.Table:
    names = [lake.at(name) for name in lake.step(step).files()]
    found = pads.dataset(names, filesystem=lake.fs, schema=schema, format="parquet") if names else schema.empty_table()
    chosen = pc.field("part") == int(manifest.part)
    return found.to_table(filter=chosen) if names else found


def _rows(lake: Lake, manifest: Manifest, wanted: dict[int, Any]) -> Rows:
    """Rows of a part by number, further signals before their own; without those that a take-down left blank."""
    with lake.open(f"documents/{manifest.file('.parquet')}") as file:
        table = pq.read_table(file, columns=_COLUMNS)
    numbers = sorted(wanted)
    rows: Rows = table.take(pa.array(numbers, pa.int64())).to_pylist()
    for row, number in zip(rows, numbers, strict=True):
        row["signals"] = [*(wanted[number] or ()), *(row["signals"] or ())]
    return [row for row in rows if row["uid"]]
