"""Keeps out what was taken down before: by sample, URL or domain before a request, by content once it is known.

Also files that look like one that was taken down: within `MAX_DISTANCE` bits of its perceptual hash. Datasets that share
a log share this memory.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from allmende.dedup.same_text import text_digest
from allmende.lake import Lake
from allmende.media.sample import ImageSample
from allmende.recipe import Recipe
from allmende.safety.digest_set import DigestSet
from allmende.safety.domains import host_forms, host_of
from allmende.safety.pdq_index import MAX_DISTANCE, MIN_QUALITY, PdqIndex
from allmende.safety.veil import DIGEST_BYTES, Kind, Veil, words
from allmende.schema import FAILURES, Reason
from allmende.steps.tombstone_folder import folder_of

Mask = npt.NDArray[np.bool_]


class Tombstones:
    """Everything that a log names, ready to be looked up: some 20 bytes an entry, 130 for a perceptual hash.

    Args:
        hashes: Veiled values one after the other, by kind: `Log.hashes`.
        veil: Of the same log.
    """

    def __init__(self, hashes: Mapping[str, bytes | bytearray], veil: Veil):
        self._veil = veil
        named = {kind: packed for kind, packed in hashes.items() if kind != "phash" and packed}
        self._sets = {kind: DigestSet(packed, DIGEST_BYTES) for kind, packed in named.items()}
        pictures = np.frombuffer(hashes.get("phash", b""), np.uint8).reshape(-1, 32)
        self._pictures = PdqIndex(words(pictures), MAX_DISTANCE) if len(pictures) else None
        self._host = lru_cache(maxsize=100_000)(self._host_taken_down)

    @property
    def looks_at_rows(self) -> bool:
        """False if the log names no sample, URL or domain."""
        return not self._sets.keys().isdisjoint({"uid", "url", "domain"})

    @property
    def looks_at_files(self) -> bool:
        """False if the log names no content."""
        return "sha256" in self._sets or self._pictures is not None

    def rows(self, urls: Sequence[str | None], uids: Sequence[str | None]) -> dict[Kind, Mask]:
        """Which rows are named, by what names them: their URL, its host, or they as a sample."""
        hosts = [self._host(host_of(url)) if url else False for url in urls]
        return {"url": self._named("url", urls), "uid": self._named("uid", uids), "domain": np.array(hosts, np.bool_)}

    def files(
        self, sha256: Sequence[str | None], phash: Sequence[str | None], quality: Sequence[int | None]
    ) -> dict[Kind, Mask]:
        """Which files are named, or look like one that is.

        Args:
            sha256: Of the original bytes.
            phash: PDQ, 64 hex digits.
            quality: PDQ quality, 0..100.
        """
        return {"sha256": self._named("sha256", sha256), "phash": self._alike(phash, quality)}

    def documents(
        self, urls: Sequence[str | None], uids: Sequence[str | None], texts: Sequence[str | None]
    ) -> dict[Kind, Mask]:
        """Which documents are named, by what names them: also by a text that was taken down under another URL."""
        asked = texts if "sha256" in self._sets else [None] * len(texts)
        digests = [None if text is None else text_digest(text) for text in asked]
        return self.rows(urls, uids) | {"sha256": self._named("sha256", digests)}

    def _named(self, kind: Kind, values: Sequence[str | None]) -> Mask:
        found = np.zeros(len(values), np.bool_)
        if kind not in self._sets:
            return found
        asked = [row for row, value in enumerate(values) if value]
        found[asked] = self._sets[kind].has([self._veil.digest(kind, values[row] or "") for row in asked])
        return found

    def _host_taken_down(self, host: str) -> bool:
        if not host or "domain" not in self._sets:
            return False
        return bool(self._sets["domain"].has([self._veil.digest("domain", form) for form in host_forms(host)]).any())

    def _alike(self, phash: Sequence[str | None], quality: Sequence[int | None]) -> Mask:
        found = np.zeros(len(phash), np.bool_)
        asked = [row for row, value in enumerate(phash) if value and comparable(quality[row])]
        if self._pictures is None or not asked:
            return found
        hashes = np.frombuffer(bytes.fromhex("".join(phash[row] or "" for row in asked)), np.uint8).reshape(-1, 32)
        nearest, _ = self._pictures.nearest(words(self._veil.moved(hashes)))
        found[asked] = nearest >= 0
        return found


def any_of(masks: Mapping[Kind, Mask]) -> Mask:
    """Rows that one mask at least picks."""
    found: Mask = np.logical_or.reduce(list(masks.values()))
    return found


def comparable(quality: int | None) -> bool:
    """True if an image has enough detail for its perceptual hash to mean anything."""
    return quality is not None and quality >= MIN_QUALITY


KEPT_COLUMNS = frozenset({"found_in", "caption_source", "language", "language_score", "crawl", "captured_at", "seen"})
"""Columns of a row that keep their value when it is taken down: none of them says what it was or where it came from."""


def blanked(rows: pa.Table) -> pa.Table:
    """Rows as failures that were taken down, with nothing in them that would lead back to the picture.

    What stays is what the funnel needs: language, crawl, how often it was seen.

    Args:
        rows: Samples or failures.
    """
    columns = {
        field.name: rows.column(field.name) if field.name in KEPT_COLUMNS else pa.nulls(len(rows), field.type)
        for field in FAILURES
    }
    columns["reason"] = pa.array([str(Reason.TAKEN_DOWN)] * len(rows), pa.string())
    return pa.table(columns, schema=FAILURES)


def forget(failures: pa.Table) -> pa.Table:
    """Failures in which rows that were taken down are blank.

    Args:
        failures: In `schema.FAILURES`.
    """
    taken = failures.column("reason").to_numpy(zero_copy_only=False) == str(Reason.TAKEN_DOWN)
    if not taken.any():
        return failures
    return pa.concat_tables([failures.filter(pa.array(~taken)), blanked(failures.filter(pa.array(taken)))])


class TombstoneScreen:
    """The screen of a log."""

    def __init__(self, tombstones: Tombstones):
        self._tombstones = tombstones

    def before(self, rows: pa.Table) -> pa.Array:
        """See `Screen.before`."""
        if not self._tombstones.looks_at_rows:
            return pa.nulls(len(rows), pa.string())
        found = any_of(self._tombstones.rows(rows.column("url").to_pylist(), rows.column("uid").to_pylist()))
        return pa.array([str(Reason.TAKEN_DOWN) if drop else None for drop in found], pa.string())

    def after(self, url: str, found: ImageSample) -> Reason | None:
        """See `Screen.after`."""
        del url
        if not self._tombstones.looks_at_files:
            return None
        taken = any_of(self._tombstones.files([found.sha256], [found.phash], [found.phash_quality]))
        return Reason.TAKEN_DOWN if taken[0] else None

    def documents(self, urls: Sequence[str | None], uids: Sequence[str | None], texts: Sequence[str | None]) -> Mask:
        """Which documents were taken down."""
        return any_of(self._tombstones.documents(urls, uids, texts))


def load(lake: Lake, recipe: Recipe) -> tuple[TombstoneScreen, ...]:
    """The screen of the log that a dataset obeys; none if it has no log yet.

    Raises:
        LakeError: if the recipe names a log, and it is not there.
        Untrusted: if the log was changed.
    """
    folder = folder_of(lake, recipe)
    if not recipe.safety.tombstones and not folder.exists():
        return ()
    log, veil = folder.load()
    return (TombstoneScreen(Tombstones(log.hashes, veil)),)


def taken_down(screens: Sequence[TombstoneScreen], rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Mask:
    """Which documents were taken down.

    Args:
        screens: What `load` gives.
        rows: The documents.
        names: What they are looked up by: of `url`, `uid` and `text` those columns that are there in their final form.
    """
    found = np.zeros(len(rows), np.bool_)
    for screen in screens:
        found |= screen.documents(*([row[n] if n in names else None for row in rows] for n in ("url", "uid", "text")))
    return found
