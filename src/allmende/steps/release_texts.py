"""Shards of text: `documents/` without what later steps dropped in, `release/shards/` out, a part a shard.

As with images, a group of parts, taken at even distances, is shuffled by `order_key` and cut into ranges of it: a document
that is taken down is missing from its own shard and changes no other. A group has at most about `GROUP_BYTES` of text, which
is what is in memory; a dataset smaller than that is shuffled as a whole.
"""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from math import ceil
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from allmende.lake import Lake
from allmende.parts import File, part_id
from allmende.publish.sink import Shard, index_digits, load_sink
from allmende.publish.tokens import TokenCounter
from allmende.recipe import Recipe
from allmende.schema import DOCUMENTS, Reason
from allmende.steps import tombstone_screen
from allmende.steps.language_facts import KEPT as KEPT_FATE
from allmende.steps.language_facts import Mask, by_language, tally_of
from allmende.steps.near import KEPT
from allmende.steps.permitted import TOLD
from allmende.steps.release import mean_size, range_of
from allmende.steps.step import Parts, Settings
from allmende.tables import Tables

GROUP_BYTES = 128_000_000
READ_AT_ONCE = 256
_NAMED = ["url", "uid", "text"]

TOKENS = "tokens_"
"""How facts about tokens begin in the manifests of shards; the language follows."""


def plan(recipe: Recipe, lake: Lake) -> Parts:
    """A part for each shard: the parts of its group, and which cut of them it is."""
    kept = _kept_by_part(lake)
    documents = []
    volume = 0.0
    for manifest in lake.step("documents").manifests():
        rows = kept.get(int(manifest.part), 0)
        documents.append((manifest.part, rows))
        volume += manifest.facts["text_bytes"] * rows / max(1, manifest.counts["document"].kept)
    groups = max(1, ceil(volume / GROUP_BYTES))
    size = mean_size(recipe.publish.shard_size)
    parts: Parts = {}
    for number in range(groups):
        group = [(part, rows) for part, rows in documents[number::groups] if rows]
        shards = ceil(sum(rows for _, rows in group) / size)
        for cut in range(shards):
            parts[part_id(len(parts))] = {"documents": [part for part, _ in group], "cut": cut, "of": shards}
    return parts


def _kept_by_part(lake: Lake) -> dict[int, int]:
    """How many documents of each part stay."""
    found: dict[int, int] = {}
    for name in lake.step("near").files():
        with lake.open(name) as file:
            for batch in pq.ParquetFile(file).iter_batches(columns=["part"]):
                for pair in pc.value_counts(batch.column("part")).to_pylist():
                    found[pair["values"]] = found.get(pair["values"], 0) + pair["counts"]
    return found


class Worker:
    """Writes shards."""

    def __init__(self, settings: dict[str, Any]):
        self.settings = Settings.of_worker(settings)
        lake, recipe = self.settings.lake, self.settings.recipe
        self.sink = load_sink(recipe.publish.sink)
        self.tombstones = tombstone_screen.load(lake, recipe)
        self.tokens = TokenCounter(recipe.publish.tokenizer) if recipe.publish.tokenizer else None
        self.kept = Tables(lake, lake.step("near").files(), KEPT)
        self.told = Tables(lake, lake.step("permitted").files(), TOLD) if recipe.permission.captures else None
        self.group = lru_cache(maxsize=1)(self._group)

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Makes the parts of the task."""
        publish = self.settings.recipe.publish
        for name, part in task["parts"].items():
            table, order = self.group(tuple(part["documents"]))
            begin, end = range_of(table.column("order_key").to_numpy()[order], part["cut"], part["of"])
            rows = order[begin:end]
            stays = self._not_taken_down(table, rows)
            fates = {KEPT_FATE: stays, str(Reason.TAKEN_DOWN): ~stays}
            with self.settings.lake.step("release/shards").part(name, self.settings.plan, part.get("round", 0)) as out:
                number = Shard(int(name), index_digits(publish.shard_size), DOCUMENTS)
                counts = Counter[str]()
                shard = self.sink.write(number, self._samples(table, rows[stays], counts), out.aside)
                languages = table.column("language").take(pa.array(rows))
                out.commit(
                    {"document": tally_of(fates)},
                    dict(sorted(counts.items())) | by_language(languages, fates),
                    files={f.name: File(f.bytes, f.sha256) for f in shard.files},
                )
        return {"parts": len(task["parts"])}

    def _group(self, parts: tuple[str, ...]) -> tuple[pa.Table, np.ndarray[Any, np.dtype[np.int64]]]:
        """All documents of a group, and their order in the release."""
        table = pa.concat_tables([DOCUMENTS.empty_table(), *map(self._documents, parts)])
        order = pc.sort_indices(table, [("order_key", "ascending"), ("uid", "ascending")]).to_numpy()
        return table, order.astype(np.int64)

    def _documents(self, part: str) -> pa.Table:
        """The documents of a part that stay, with what duplicates say of them."""
        kept = self.kept.read(pc.field("part") == int(part)).sort_by("row")
        rows = kept.column("row").to_numpy()
        lake = self.settings.lake
        tables, begin = [DOCUMENTS.empty_table()], 0
        with lake.open(f"documents/{lake.step('documents').manifest(part).file('.parquet')}") as file:
            source = pq.ParquetFile(file)
            for group in range(source.num_row_groups):
                size = source.metadata.row_group(group).num_rows
                first, last = np.searchsorted(rows, (begin, begin + size))
                if first < last:
                    wanted = pa.array(rows[first:last] - begin)
                    tables.append(source.read_row_group(group).cast(DOCUMENTS).take(wanted))
                begin += size
        table = self._with_robots(pa.concat_tables(tables), int(part), rows)
        for name in ("seen", "cluster_size"):
            place = DOCUMENTS.get_field_index(name)
            table = table.set_column(place, DOCUMENTS.field(name), kept.column(name))
        return table

    def _with_robots(self, table: pa.Table, part: int, rows: "np.ndarray[Any, np.dtype[np.int32]]") -> pa.Table:
        """Documents with what captured robots.txt said of them among their signals."""
        if self.told is None:
            return table
        told = self.told.read(pc.field("part") == part, ["row", "signals"])
        more = dict(zip(told.column("row").to_pylist(), told.column("signals").to_pylist(), strict=True))
        signals = table.column("signals").to_pylist()
        pairs = zip(rows.tolist(), signals, strict=True)
        both = [[*more.get(row, ()), *(own or ())] for row, own in pairs]  # null in rows that a take-down left blank
        place = DOCUMENTS.get_field_index("signals")
        return table.set_column(place, DOCUMENTS.field(place), pa.array(both, DOCUMENTS.field(place).type))

    def _not_taken_down(self, table: pa.Table, rows: np.ndarray[Any, np.dtype[np.int64]]) -> Mask:
        """Which of these rows were not taken down."""
        stays: Mask = table.column("uid").take(pa.array(rows)).is_valid().to_numpy()  # a take-down leaves a blank row
        for screen in self.tombstones:
            for begin in range(0, len(rows), READ_AT_ONCE):
                named = table.select(_NAMED).take(pa.array(rows[begin : begin + READ_AT_ONCE]))
                gone = screen.documents(*(column.to_pylist() for column in named.columns))
                stays[begin : begin + READ_AT_ONCE] &= ~gone
        return stays

    def _samples(
        self, table: pa.Table, rows: np.ndarray[Any, np.dtype[np.int64]], counts: Counter[str]
    ) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Rows of the release; `counts` gets the tokens of each language, if somebody wants them."""
        for begin in range(0, len(rows), READ_AT_ONCE):
            documents = table.take(pa.array(rows[begin : begin + READ_AT_ONCE])).to_pylist()
            if self.tokens is not None:
                found = self.tokens.count([row["text"] for row in documents])
                for row, number in zip(documents, found, strict=True):
                    row["tokens"] = number
                    counts[f"{TOKENS}{row['language']}"] += number
            for row in documents:
                yield row, b""
