"""A part of `documents/` while it is written: rows, and beside them their keys.

Keys are 150 bytes for each document, in row groups by `text_key`, which is all that finding duplicates takes.
"""

import itertools
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from allmende.dedup.minhash import Options, Signer
from allmende.dedup.same_text import text_key
from allmende.extract.urls import split_host
from allmende.filters.quality.words import SPACELESS
from allmende.identity import key64, order_key, uid
from allmende.parts import PartWriter
from allmende.recipe import NearDuplicates
from allmende.schema import DOCUMENT_KEYS, DOCUMENTS, Reason
from allmende.steps import tombstone_screen
from allmende.steps.buckets import BucketWriter
from allmende.steps.fates import Dropped
from allmende.steps.permitted import HOSTS, HOSTS_SCHEMA
from allmende.steps.step import Settings
from allmende.steps.text_judge import Row
from allmende.steps.text_part import TextPart

KEYS = ".keys.parquet"

_characters = re.compile(r"\S").findall


def band_names(options: NearDuplicates) -> list[str]:
    """Columns of the keys that hold a signature."""
    return [f"band_{number:02d}" for number in range(options.bands)]


def keys_schema(options: NearDuplicates) -> pa.Schema:
    """Columns of the keys of documents, signature included."""
    return pa.schema([*DOCUMENT_KEYS, *(pa.field(name, pa.uint64()) for name in band_names(options))])


class Signers:
    """Signs texts of any language: those without spaces by characters, all others by words."""

    def __init__(self, near: NearDuplicates):
        self.bands = near.bands
        options = Options(ngram=near.ngram, bands=max(1, near.bands), rows=near.rows, seed=near.seed)
        self._spaced = Signer(options)
        self._spaceless = Signer(options, _characters)

    def sign(self, text: str, language: str) -> list[int] | None:
        """The bands of a text; None if it has fewer words than a run."""
        if not self.bands:
            return None
        signer = self._spaceless if language in SPACELESS else self._spaced
        signature = signer.sign(text)
        return None if signature is None else signature.tolist()


class DocumentTools:
    """What a worker keeps from one part to the next."""

    def __init__(self, settings: Settings):
        self.recipe = settings.recipe
        self.signers = Signers(settings.recipe.near_duplicates)
        self.tombstones = tombstone_screen.load(settings.lake, settings.recipe)


class DocumentPart(TextPart):
    """The files of one part.

    Args:
        part: Where they go.
        buckets: How many buckets there are for keys and hosts.
        tools: Of the worker.
    """

    def __init__(self, part: PartWriter, buckets: int, tools: DocumentTools):
        super().__init__(part, DOCUMENTS, tools.recipe, tools.tombstones)
        self._part = part
        self._tools = tools
        self._bytes = self._written = 0
        self._keys_schema = keys_schema(tools.recipe.near_duplicates)
        path = str(part.file(KEYS))
        self._key_file = self._files.enter_context(BucketWriter(path, buckets, self._keys_schema, "text_key"))
        self._host_file = None
        if tools.recipe.permission.captures:
            self._host_file = self._files.enter_context(BucketWriter(str(part.file(HOSTS)), buckets, HOSTS_SCHEMA))

    def add(self, judged: Sequence[Row]) -> None:
        """Takes over documents, their words in final form, but for those that were taken down."""
        seed = self._tools.recipe.dataset.seed
        rows = [row | final_columns(row["url"], row["text"], seed) for row in judged]
        gone = tombstone_screen.taken_down(self._tools.tombstones, rows, ["url", "uid", "text"])
        for row in itertools.compress(rows, gone):
            self.fates.drop(Dropped(Reason.TAKEN_DOWN, row["language"]))
        rows = list(itertools.compress(rows, ~gone))
        for row in rows:
            self._bytes += len(row["text"].encode())
            self.fates.keep(row["language"])
        self._rows.add(rows)

    def facts(self) -> dict[str, int]:
        """Further sums of the part."""
        return {"text_bytes": self._bytes, **self.fates.facts()}

    def _note(self, table: pa.Table) -> None:
        """Notes the keys of rows that were written."""
        numbers = np.arange(self._written, self._written + len(table), dtype=np.int32)
        self._written += len(table)
        keys = self._keys_of(table, numbers)
        self._key_file.write(keys)
        if self._host_file is not None:
            columns = [
                *(table.column(n) for n in ("host_key", "url", "language")),
                keys.column("part"),
                keys.column("row"),
            ]
            self._host_file.write(pa.Table.from_arrays(columns, schema=HOSTS_SCHEMA))

    def _keys_of(self, table: pa.Table, numbers: np.ndarray[Any, np.dtype[np.int32]]) -> pa.Table:
        signers = self._tools.signers
        texts = zip(table.column("text").to_pylist(), table.column("language").to_pylist(), strict=True)
        nothing: list[int | None] = [None] * signers.bands
        signatures = [signers.sign(text, language) or nothing for text, language in texts]
        bands = zip(*signatures, strict=True) if signers.bands else ()
        columns = [
            table.column("text_key"),
            pa.array([bytes.fromhex(name) for name in table.column("uid").to_pylist()], pa.binary(16)),
            pa.array(np.full(len(table), int(self._part.part), np.int32)),
            pa.array(numbers),
            table.column("captured_at"),
            table.column("language"),
            table.column("seen"),
            *(pa.array(band, pa.uint64()) for band in bands),
        ]
        return pa.Table.from_arrays(columns, schema=self._keys_schema)


def final_columns(url: str, text: str, seed: int) -> Row:
    """Columns that follow from URL and text."""
    name = uid(url, text)
    return {
        "uid": name,
        "chars": len(text),
        "words": len(text.split()),
        "text_key": text_key(text),
        "url_key": key64(url),
        "host_key": key64(split_host(url)),
        "seen": 1,
        "order_key": order_key(seed, name),
    }
