"""Documents: archives in, the main texts of their pages out. A part is a group of archive files.

Beside the rows a part has their keys: 150 bytes for each document, in row groups by `text_key`, which is all that
finding duplicates takes. Rows go to disk as they come, so memory does not grow with the archives.
"""

import itertools
import re
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from allmende.commoncrawl.source import open_archive
from allmende.commoncrawl.warc import read_warc
from allmende.dedup.minhash import Options, Signer
from allmende.dedup.same_text import text_key
from allmende.errors import RecipeError, SourceMissing, SourceRefused
from allmende.extract.document import read_body
from allmende.extract.extractor import make_extractor
from allmende.extract.urls import split_host
from allmende.filters.document_language import KNOWN
from allmende.filters.quality.words import SPACELESS
from allmende.identity import key64, order_key, uid
from allmende.lake import Lake, PartWriter, Tally
from allmende.recipe import NearDuplicates, Recipe
from allmende.safety import lists
from allmende.safety.hits import hits_table
from allmende.safety.lists import Hit
from allmende.safety.personal import Counts, replace_in, total
from allmende.schema import DOCUMENT_KEYS, DOCUMENTS, Reason
from allmende.steps import tombstone_screen
from allmende.steps.archive_parts import archive_parts
from allmende.steps.buckets import BucketWriter
from allmende.steps.candidates import archives, crawl_of, personal_facts
from allmende.steps.list_screen import SUFFIX as HITS_SUFFIX
from allmende.steps.list_screen import hits_key
from allmende.steps.page_reader import Dropped, Page, PageReader, Row, Source
from allmende.steps.permitted import HOSTS, HOSTS_SCHEMA
from allmende.steps.quality_rules import QualityRules, check_models
from allmende.steps.step import Parts, Settings

FILES_PER_PART = 4
"""Most archives in a part: what is lost at most when a worker dies. A WARC file of a crawl is minutes of work."""

ROWS_PER_FILE = 20_000
"""Documents in an archive, about: decides the number of buckets."""

LOOK, FINISH = 64, 32
"""Pages that are looked at together, and that go to the careful extractor together."""

LOOK_BYTES = 16_000_000
"""Bytes of pages in memory after which they are looked at, however few they are."""

GROUP_CHARS, GROUP_ROWS = 8_000_000, 2_000
"""Characters, or rows, in a row group: what is in memory before it goes to disk."""

KEYS = ".keys.parquet"

DENIED = "denied_"
"""How facts about permission begin in manifests; language and signal follow: `denied_de_tdmrep`."""

_characters = re.compile(r"\S").findall
WORDS = ("text", "title", "author", "markdown")
"""Columns in which personal data is replaced."""


def plan(recipe: Recipe, lake: Lake) -> Parts:
    """A part for each group of archives; the list of archives is fixed here, so it is recorded in the dataset.

    Raises:
        RecipeError: if a language can't be identified, the quality preset has no thresholds for it, or a model has
            other weights than the recipe names.
    """
    del lake
    check_languages(recipe)
    check_models(recipe.quality)
    return archive_parts(archives(recipe), recipe, FILES_PER_PART, ROWS_PER_FILE)


def check_languages(recipe: Recipe) -> None:
    """Makes sure that every language of a recipe can be met.

    Raises:
        RecipeError: if one can't.
    """
    rules = QualityRules(recipe.quality)
    for language in recipe.text.languages:
        if language not in KNOWN:
            raise RecipeError(
                f"[text] languages: {language!r} is none that can be identified. There are: {', '.join(sorted(KNOWN))}."
            )
        if not rules.knows(language):
            raise RecipeError(
                f"[quality] preset: {recipe.quality.preset} has no thresholds for {language!r}; fineweb-2 has those of "
                "34 languages, and none keeps all."
            )


def band_names(options: NearDuplicates) -> list[str]:
    """Columns of the keys that hold a signature."""
    return [f"band_{number:02d}" for number in range(options.bands)]


def keys_schema(options: NearDuplicates) -> pa.Schema:
    """Columns of the keys of documents, signature included."""
    return pa.schema([*DOCUMENT_KEYS, *(pa.field(name, pa.uint64()) for name in band_names(options))])


class Worker:
    """Reads archives."""

    def __init__(self, settings: dict[str, Any]):
        self.settings = Settings.of_worker(settings)
        recipe = self.settings.recipe
        self.reader = PageReader(recipe, lists.load(recipe.safety), make_extractor(recipe.text))
        self.signers = Signers(recipe.near_duplicates)
        self.tombstones = tombstone_screen.load(self.settings.lake, recipe)

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Makes the parts of the task."""
        for name, part in task["parts"].items():
            self._part(name, part)
        return {"parts": len(task["parts"])}

    def _part(self, name: str, plan: dict[str, Any]) -> None:
        with self.settings.lake.step("documents").part(name, self.settings.plan) as part:
            with _Output(part, self, plan["buckets"]) as output:
                for archive in plan["archives"]:
                    output.read(archive)
            output.write_hits()
            part.commit({"record": output.records, "document": output.documents}, output.facts())


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


class _Output:
    """The files of one part while archives are read into them."""

    def __init__(self, part: PartWriter, worker: Worker, buckets: int):
        self.records, self.documents = Tally(), Tally()
        self.personal: Counts = {}
        self._part = part
        self._recipe = worker.settings.recipe
        self._lake = worker.settings.lake
        self._worker = worker
        self._by_language: dict[str, int] = {}
        self._denied: dict[str, int] = {}
        self._hits: list[Hit] = []
        self._place: dict[str, Any] = {}
        self._rows: list[Row] = []
        self._chars = self._written = self._bytes = 0
        self._keys: list[pa.Table] = []
        self._keys_schema = keys_schema(self._recipe.near_duplicates)
        self._files = ExitStack()
        rows = pq.ParquetWriter(part.file(".parquet"), DOCUMENTS, compression="zstd")
        self._file = self._files.enter_context(rows)
        path = str(part.file(KEYS))
        self._key_file = self._files.enter_context(BucketWriter(path, buckets, self._keys_schema, "text_key"))
        self._hosts: list[pa.Table] = []
        self._host_file = None
        if self._recipe.permission.captures:
            self._host_file = self._files.enter_context(BucketWriter(str(part.file(HOSTS)), buckets, HOSTS_SCHEMA))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._files:
            if kind is None:
                self._write()
                self._key_file.write(pa.concat_tables([self._keys_schema.empty_table(), *self._keys]))
                if self._host_file is not None:
                    self._host_file.write(pa.concat_tables([HOSTS_SCHEMA.empty_table(), *self._hosts]))

    def read(self, archive: str) -> None:
        """Takes over everything from one archive. One that does not exist is counted."""
        self._place = {"crawl": crawl_of(archive, self._recipe), "warc_file": archive.rsplit("/", 1)[-1]}
        try:
            waiting: list[Page] = []
            for sources in self._sources(archive):
                for page in self._worker.reader.look(sources):
                    if isinstance(page, Dropped):
                        self._drop(page)
                    else:
                        waiting.append(page)
                if len(waiting) >= FINISH:
                    self._finish(waiting)
                    waiting = []
            self._finish(waiting)
        except SourceRefused:  # a block of this machine, most likely: the next run may have more luck
            raise
        except SourceMissing:
            self.records.drop(Reason.ARCHIVE_MISSING)

    def _sources(self, archive: str) -> Iterator[list[Source]]:
        """Pages and plain texts of an archive, some at a time."""
        select, sources, held = self._recipe.select, list[Source](), 0
        with open_archive(archive, retries=select.retries, cache=select.cache) as stream:
            for capture in read_warc(stream, self._recipe.extract.max_page_bytes, conversions=True):
                body = capture if isinstance(capture, Reason) else read_body(capture)
                if isinstance(capture, Reason) or isinstance(body, Reason):
                    assert isinstance(body, Reason)
                    self.records.drop(body)
                    continue
                self.records.keep()
                sources.append(Source(capture, body))
                held += len(capture.body)
                if len(sources) >= LOOK or held >= LOOK_BYTES:
                    yield sources
                    sources, held = [], 0
        yield sources

    def _finish(self, pages: list[Page]) -> None:
        rows = []
        for row in self._worker.reader.finish(pages):
            if isinstance(row, Dropped):
                self._drop(row)
            else:
                rows.append(row | self._place)
        rows = self._final(rows)
        for screen in self._worker.tombstones:
            taken = screen.documents(*([row[name] for row in rows] for name in ("url", "uid", "text"))).tolist()
            for row in itertools.compress(rows, taken):
                self._drop(Dropped(Reason.TAKEN_DOWN, row["language"]))
            rows = [row for row, gone in zip(rows, taken, strict=True) if not gone]
        self._keep(rows)

    def _final(self, rows: list[Row]) -> list[Row]:
        """Rows with words in their final form, and what follows from these."""
        if self._recipe.safety.replace_personal:
            columns: dict[str, Any] = {name: [row[name] for row in rows] for name in WORDS}
            self.personal = total((self.personal, replace_in(columns, WORDS)))
            rows = [row | {name: columns[name][at] for name in WORDS} for at, row in enumerate(rows)]
        return [row | final_columns(row["url"], row["text"], self._recipe.dataset.seed) for row in rows]

    def _keep(self, rows: list[Row]) -> None:
        for row in rows:
            self._rows.append(row)
            self._chars += row["chars"]
            self._bytes += len(row["text"].encode())
            self.documents.keep()
            self._count(row["language"], "kept")
            if self._chars >= GROUP_CHARS or len(self._rows) >= GROUP_ROWS:
                self._write()

    def _write(self) -> None:
        """Writes a row group, and notes the keys of its rows."""
        if not self._rows:
            return
        table = pa.Table.from_pylist(self._rows, DOCUMENTS)
        self._file.write_table(table, row_group_size=len(table))
        numbers = np.arange(self._written, self._written + len(table), dtype=np.int32)
        keys = self._keys_of(table, numbers)
        self._keys.append(keys)
        if self._host_file is not None:
            columns = [table.column("host_key"), table.column("url"), keys.column("part"), keys.column("row")]
            self._hosts.append(pa.Table.from_arrays(columns, schema=HOSTS_SCHEMA))
        self._written += len(table)
        self._rows, self._chars = [], 0

    def _keys_of(self, table: pa.Table, numbers: np.ndarray[Any, np.dtype[np.int32]]) -> pa.Table:
        signers = self._worker.signers
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

    def _drop(self, dropped: Dropped) -> None:
        self.documents.drop(dropped.reason)
        self._count(dropped.language, str(dropped.reason))
        if dropped.signal:
            name = f"{DENIED}{dropped.language}_{dropped.signal}"
            self._denied[name] = self._denied.get(name, 0) + 1
        if dropped.hit is not None:
            self._hits.append(dropped.hit)

    def _count(self, language: str, fate: str) -> None:
        if language:
            name = f"{language}/{fate}"
            self._by_language[name] = self._by_language.get(name, 0) + 1

    def write_hits(self) -> None:
        """Writes what lists of known illegal content hit, as keyed hashes."""
        if self._hits:
            table = hits_table(self._hits, hits_key(self._lake, self._recipe.safety))
            pq.write_table(table, self._part.file(HITS_SUFFIX), compression="zstd")

    def facts(self) -> dict[str, int]:
        """Further sums of the part: bytes of text, personal data, and the fates of documents by language."""
        personal = personal_facts(self._recipe, self.personal)
        by_name = sorted((self._by_language | self._denied).items())
        return {"text_bytes": self._bytes, **personal, **dict(by_name)}


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
