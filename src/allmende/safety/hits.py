"""What stays of a hit on known illegal content: counts, and keyed hashes that only a partner can read.

A hit must be reported to whoever keeps the list, and must not be told to anybody else: a dataset that said which of its
URLs are illegal would be an index to them. So the row keeps its Reason and loses everything else, and a row of `HITS` names
the URL and the list's entry by BLAKE2b keyed with a secret. Who has the secret and a URL can tell whether it was hit;
who has the dataset learns only how many were.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from allmende.errors import RecipeError
from allmende.safety.lists import Hit
from allmende.schema import FAILURES, Reason

KEY_BYTES = 16
"""Fewest bytes of a key: a shorter one can be guessed."""
_KEPT = {"uid", "crawl", "seen", "reason"}
"""Columns of a failure that survive a hit; of `uid` a keyed hash."""


def _field(name: str, kind: pa.DataType, doc: str) -> pa.Field:
    return pa.field(name, kind, metadata={"doc": doc})


HITS = pa.schema(
    [
        _field("url_hash", pa.string(), "Keyed hash of the URL that was hit, or whose file was: 64 hex digits."),
        _field("entry_hash", pa.string(), "Keyed hash of the list's entry, as the list spells it."),
        _field("list", pa.string(), "Name of the list."),
        _field("kind", pa.string(), "Its kind: md5, sha1, sha256, pdq, url or domain."),
        _field("list_date", pa.string(), "Its date."),
        _field("where", pa.string(), "What was hit: url (of the image), page (its URL), redirect (its target), file."),
        _field("distance", pa.int16(), "Bits in which the perceptual hashes differ; null for other kinds."),
        _field("rows", pa.int32(), "Rows that were dropped for it; a redirect counts 1 each time."),
        _field("at", pa.timestamp("ms", tz="UTC"), "When the part with these rows was written (clock column)."),
    ]
)
"""A row for each hit: the `.hits.parquet` of `samples/`. What `allmende report --hits` prints."""


def usable_key(key: bytes, source: str) -> bytes:
    """A key as BLAKE2b takes it: longer ones are hashed first.

    Raises:
        RecipeError: if it is too short.
    """
    if len(key) < KEY_BYTES:
        raise RecipeError(f"[safety] hits_key: the key in {source} has {len(key)} bytes, it needs {KEY_BYTES} or more.")
    return key if len(key) <= hashlib.blake2b.MAX_KEY_SIZE else hashlib.blake2b(key).digest()


def keyed(key: bytes, text: str, size: int = 32) -> str:
    """BLAKE2b (RFC 7693) of `size` bytes over UTF-8 with a key, in hexadecimal digits."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=key, digest_size=size).hexdigest()


def conceal(failures: pa.Table, hit: npt.NDArray[np.bool_], key: bytes) -> pa.Table:
    """Takes out of some rows all that could lead to what was hit, and gives them the Reason LISTED.

    Args:
        failures: In `schema.FAILURES`.
        hit: Which rows.
        key: For the rows' new uids.
    """
    if not hit.any():
        return failures
    mask = pa.array(hit)
    uids = [keyed(key, uid, 16) if gone else uid for uid, gone in zip(failures["uid"].to_pylist(), hit, strict=True)]
    columns = {
        name: column if name in _KEPT else pc.if_else(mask, pa.scalar(None, column.type), column)
        for name, column in zip(failures.column_names, failures.columns, strict=True)
    }
    columns["uid"] = pa.array(uids, pa.string())
    columns["reason"] = pc.if_else(mask, pa.scalar(str(Reason.LISTED)), failures["reason"])
    return pa.table(columns).cast(FAILURES)


def hits_table(hits: Iterable[Hit], key: bytes) -> pa.Table:
    """Hits, one for each row that was dropped, as the table that may be kept."""
    now = datetime.now(UTC)
    rows = [
        {
            "url_hash": keyed(key, hit.url),
            "entry_hash": keyed(key, hit.found.entry),
            "list": hit.about.name,
            "kind": hit.about.kind,
            "list_date": hit.about.date,
            "where": hit.where,
            "distance": hit.found.distance,
            "rows": count,
            "at": now,
        }
        for hit, count in Counter(hits).items()
    ]
    rows.sort(key=lambda row: (row["url_hash"], row["list"], row["where"]))
    return pa.Table.from_pylist(rows, schema=HITS)
