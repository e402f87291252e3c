"""Near-duplicates: the signatures in `unique/` in, which documents stay in `near/` out. One part: it takes seconds.

Documents are numbered in the order of `unique/`, which is that of `text_key`: so which of a cluster stays, the one with the
smallest number, does not depend on archives, parts or machines. Two documents are near if they share a band; a cluster is
whatever hangs together so (`allmende.dedup.clusters`).

One band is in memory at a time, 8 bytes a document, with the labels and places of all, 16 bytes more, and each band is read
once: 10 million documents take less than 1 GB.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from allmende.dedup.clusters import Buckets, Labels, cluster
from allmende.identity import key64
from allmende.lake import Lake
from allmende.parts import PartWriter
from allmende.recipe import NearDuplicates, Recipe
from allmende.schema import DOCUMENTS, Reason
from allmende.steps.document_part import band_names
from allmende.steps.earlier import sources
from allmende.steps.language_facts import KEPT as KEPT_FATE
from allmende.steps.language_facts import by_language, tally_of
from allmende.steps.step import Parts, Settings

KEPT = pa.schema(
    [
        pa.field("part", pa.int32()),
        pa.field("row", pa.int32()),
        DOCUMENTS.field("seen"),
        DOCUMENTS.field("cluster_size"),
    ]
)
"""A row for each document that stays, by part and row of `documents/`."""

ROW_GROUP = 50_000
Numbers = NDArray[np.int64]


def plan(recipe: Recipe, lake: Lake) -> Parts:
    """One part."""
    del recipe
    rows = sum(manifest.counts["document"].kept for manifest in lake.step("unique").manifests())
    return {"00000": {"rows": rows}}


class Worker:
    """Finds clusters."""

    def __init__(self, settings: dict[str, Any]):
        self.settings = Settings.of_worker(settings)

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Makes the one part."""
        for name, part in task["parts"].items():
            with self.settings.lake.step("near").part(name, self.settings.plan) as writer:
                self._part(writer, part["rows"])
        return {"parts": len(task["parts"])}

    def _part(self, writer: PartWriter, rows: int) -> None:
        recipe = self.settings.recipe
        near = recipe.near_duplicates
        lake = self.settings.lake
        ours = Signatures(lake, lake.step("unique").files(), near, rows)
        before = [Signatures(where, names, near, count) for where, names, count in sources(lake, recipe)]
        known = sum(source.rows for source in before)
        labels = find_clusters([*before, ours], near)
        # Documents of earlier datasets have the smaller numbers: they represent every cluster that they are in.
        own = labels[known:].astype(np.int64) - known
        seen, earlier = ours.column("seen"), own < 0
        size = cluster_sizes(own, seen)
        stays = own == np.arange(rows) if near.remove else ~earlier
        fates = {
            KEPT_FATE: stays,
            str(Reason.TEXT_NEAR_DUPLICATE): ~stays & ~earlier,
            str(Reason.TEXT_NEAR_DUPLICATE_EARLIER): earlier,
        }
        table = _sorted(ours, stays.nonzero()[0], seen, size)
        pq.write_table(table, writer.file(".parquet"), compression="zstd", row_group_size=ROW_GROUP)
        clusters = int(np.count_nonzero(np.bincount(own[~earlier], minlength=1) > 1))
        facts = {"clusters": clusters} | by_language(ours.languages(), fates)
        writer.commit({"document": tally_of(fates)}, facts)


def cluster_sizes(own: Numbers, seen: Numbers) -> Numbers:
    """For each document how many its cluster has, equal ones included.

    Args:
        own: Number of the document that represents its cluster; below zero for one of an earlier dataset.
        seen: How many documents have its text.
    """
    inside = own >= 0
    total = np.bincount(own[inside], weights=seen[inside], minlength=1).astype(np.int64)
    sizes = seen.copy()
    sizes[inside] = total[own[inside]]
    return sizes


def _sorted(ours: "Signatures", kept: Numbers, seen: Numbers, size: Numbers) -> pa.Table:
    """What stays, by part and row."""
    parts, rows = ours.column("part")[kept], ours.column("row")[kept]
    order = np.lexsort((rows, parts))
    columns = (parts[order], rows[order], seen[kept][order], size[kept][order])
    return pa.Table.from_arrays([pa.array(column.astype(np.int32)) for column in columns], schema=KEPT)


class Signatures:
    """Keys of documents, column by column.

    Args:
        lake: A dataset.
        files: Tables of keys in it, in order.
        near: What is compared.
        rows: How many there are.
    """

    def __init__(self, lake: Lake, files: list[str], near: NearDuplicates, rows: int):
        self.rows = rows
        self._lake = lake
        self._files = files
        self._by_language = near.within == "language"

    def column(self, name: str) -> Numbers:
        """A column of integers."""
        parts = [table.column(name).to_numpy() for table in self._tables([name])]
        return np.concatenate([np.empty(0, np.int32), *parts]).astype(np.int64)

    def languages(self) -> pa.ChunkedArray:
        """The language of each document."""
        return pa.chunked_array(
            [chunk for table in self._tables(["language"]) for chunk in table.column(0).chunks], pa.string()
        )

    def band(self, name: str) -> tuple[NDArray[np.uint64], Labels]:
        """The hashes of a band, and the numbers of the documents that have one, from 0.

        If documents are compared within a language only, the language is mixed into its hashes.
        """
        hashes, numbers, begin = [np.empty(0, np.uint64)], [np.empty(0, np.uint32)], 0
        for table in self._tables([name, "language"] if self._by_language else [name]):
            column = table.column(name)
            present = column.is_valid().to_numpy()
            values = column.drop_null().to_numpy()
            if self._by_language:
                values = values ^ _language_keys(table.column("language"))[present]
            hashes.append(values)
            numbers.append((begin + present.nonzero()[0]).astype(np.uint32))
            begin += len(table)
        return np.concatenate(hashes), np.concatenate(numbers)

    def _tables(self, names: list[str]) -> Iterator[pa.Table]:
        for file_name in self._files:
            with self._lake.open(file_name) as file:
                yield pq.read_table(file, columns=names)


def _language_keys(languages: pa.ChunkedArray) -> NDArray[np.uint64]:
    coded = languages.combine_chunks().dictionary_encode()
    keys = np.array([key64(language or "") for language in coded.dictionary.to_pylist()], np.uint64)
    found: NDArray[np.uint64] = keys[coded.indices.to_numpy()]
    return found


def find_clusters(sources: list[Signatures], near: NearDuplicates) -> Labels:
    """The representative of each document of all sources, numbered one source after the other.

    Args:
        sources: Where signatures are read.
        near: What is compared.
    """
    names = band_names(near)
    count = sum(source.rows for source in sources)
    return cluster(count, near.bands, lambda band: _buckets(sources, names[band]))


def _buckets(sources: list[Signatures], name: str) -> Buckets:
    """The documents of all sources that share a band."""
    hashes, numbers, begin = [], [], 0
    for source in sources:
        some, where = source.band(name)
        hashes.append(some)
        numbers.append(where + np.uint32(begin))
        begin += source.rows
    return Buckets(np.concatenate(hashes), np.concatenate(numbers))
