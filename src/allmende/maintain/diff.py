"""What is different between two releases: versions, samples, files.

Samples are compared by uid, through the metadata tables beside the shards (or the shards themselves, where these are tables).
Tables with the same digest on both sides are not even opened. The rest is joined in as many passes as keep a
pass below `ROWS_PER_PASS` rows, each taking the uids with certain first digits, so memory does not grow with the releases.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Literal

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from allmende.errors import LakeError
from allmende.lake import Lake
from allmende.publish import manifest as form
from allmende.publish.columns import read_columns
from allmende.publish.jsonl import SUFFIX as JSONL
from allmende.publish.manifest import ReleaseManifest

ROWS_PER_PASS = 2_000_000
HOSTS = 20
"""Hosts that a summary names, those with most differences."""
_COLUMNS = pa.schema(
    [pa.field("uid", pa.string(), nullable=False), *((name, pa.string()) for name in ("sha256", "language", "url"))]
)
"""Documents have no digest: with another text it would be another document."""
_HOST = r"^https?://(?:[^/@]*@)?(?P<host>[^/:?]+)"

Change = Literal["added", "removed", "changed"]


class Side(msgspec.Struct, frozen=True):
    """One of the two."""

    manifest: ReleaseManifest
    release: Lake | None
    """The folder of the release; None if only its manifest is there."""
    home: Lake | None
    """The folder of the dataset that it lies in, which may have its history."""


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """Paths of files that are not the same."""

    added: list[str]
    removed: list[str]
    changed: list[str]
    bytes: int
    """Of the files that are new or changed."""


class Samples(msgspec.Struct, kw_only=True):
    """Samples that are not the same; changed is one whose file has another digest than before."""

    added: int = 0
    removed: int = 0
    changed: int = 0
    languages: dict[str, dict[str, int]]
    """For each language how many were added, removed, changed."""
    hosts: dict[str, dict[str, int]]
    """The same for the hosts with most differences."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Two releases compared."""

    old: str
    """Name and version."""
    new: str
    samples_old: int
    samples_new: int
    removed_for: dict[str, int]
    """Samples that take-downs between the two removed, by class of reason, as far as manifests tell."""
    samples: Samples | None
    """None if one side has no metadata, only a manifest."""
    files: Files
    policy: tuple[str, str]
    tombstones: tuple[int, int]
    """Entries of the take-down log."""


def compare(old: str, new: str) -> Difference:
    """Compares two releases.

    Args:
        old: A dataset, a release, or a manifest: path or URL.
        new: Likewise.

    Raises:
        LakeError: if there is no release, or a file of it is damaged.
        Untrusted: if a manifest is damaged.
    """
    one, other = find(old), find(new)
    before, after = one.manifest, other.manifest
    return Difference(
        old=f"{before.dataset} {before.version}",
        new=f"{after.dataset} {after.version}",
        samples_old=before.samples,
        samples_new=after.samples,
        removed_for=_removed_for(one, other),
        samples=_compare_samples(one, other),
        files=_compare_files(before, after),
        policy=(before.policy, after.policy),
        tombstones=(before.tombstones.entries, after.tombstones.entries),
    )


def find(location: str) -> Side:
    """The release at a path or URL: of a dataset, a release's own folder, or a manifest.

    Raises:
        LakeError: if there is none.
    """
    if location.endswith(".json"):
        folder, _, name = location.rpartition("/")
        return Side(_manifest(Lake(folder or "."), name), None, None)
    home = Lake(location)
    if home.exists(f"release/{form.NAME}"):
        release = Lake(home.url("release"))
        return Side(_manifest(release, form.NAME), release, home)
    if home.exists(form.NAME):
        return Side(_manifest(home, form.NAME), home, None)
    raise LakeError(f"{location}: no release: neither {form.NAME} nor release/{form.NAME} is there.")


def _manifest(lake: Lake, name: str) -> ReleaseManifest:
    return form.decode(lake.read(name), lake.url(name))


def _compare_files(old: ReleaseManifest, new: ReleaseManifest) -> Files:
    added, both = new.files.keys() - old.files.keys(), new.files.keys() & old.files.keys()
    changed = {path for path in both if old.files[path] != new.files[path]}
    return Files(
        added=sorted(added),
        removed=sorted(old.files.keys() - new.files.keys()),
        changed=sorted(changed),
        bytes=sum(new.files[path].bytes for path in added | changed),
    )


def _removed_for(old: Side, new: Side) -> dict[str, int]:
    """Adds up what each release from the old to the new one removed."""
    total: Counter[str] = Counter()
    manifest, digest = new.manifest, form.digest(old.manifest)
    while form.digest(manifest) != digest:
        total.update(manifest.removed)
        if manifest.previous is None or manifest.previous.sha256 == digest or new.home is None:
            break
        name = f"releases/{manifest.previous.version}.json"
        if not new.home.exists(name):
            break
        manifest = _manifest(new.home, name)
    return dict(sorted(total.items()))


def _compare_samples(old: Side, new: Side) -> Samples | None:
    if old.release is None or new.release is None:
        return None
    same = {file.sha256 for file in old.manifest.files.values()} & {file.sha256 for file in new.manifest.files.values()}
    tables = [_tables(side.manifest, same) for side in (old, new)]
    languages: dict[str, Counter[str]] = {}
    hosts: dict[str, Counter[str]] = {}
    total: Counter[str] = Counter()
    for prefix in _prefixes(max(old.manifest.samples, new.manifest.samples)):
        before, after = (_rows(side.release, names, prefix) for side, names in zip((old, new), tables, strict=True))
        for change, rows in _joined(before, after):
            total[change] += len(rows)
            _count(languages, change, rows.column("language").fill_null("und"))
            _count(hosts, change, pc.struct_field(pc.extract_regex(rows.column("url"), _HOST), "host"))
            _shorten(hosts)
    most = sorted(hosts, key=lambda host: (-hosts[host].total(), host))[:HOSTS]
    return Samples(
        added=total["added"],
        removed=total["removed"],
        changed=total["changed"],
        languages={name: dict(languages[name]) for name in sorted(languages)},
        hosts={name: dict(hosts[name]) for name in most},
    )


def _tables(manifest: ReleaseManifest, same: set[str]) -> list[str]:
    """The metadata tables, or files of documents, of a release that the other does not have."""
    return [
        path
        for path, file in manifest.files.items()
        if path.startswith(form.SHARDS) and path.endswith((".parquet", JSONL)) and file.sha256 not in same
    ]


def _prefixes(rows: int) -> Iterator[str]:
    """First digits of uids, so that each has no more than `ROWS_PER_PASS` rows."""
    digits = 0
    while rows > ROWS_PER_PASS * 16**digits:
        digits += 1
    return ("".join(letters) for letters in product("0123456789abcdef", repeat=digits))


def _rows(lake: Lake | None, names: Iterable[str], prefix: str) -> pa.Table:
    """Columns of all samples whose uid begins so."""
    assert lake is not None
    batches = []
    for name in names:
        with lake.open(name) as file:
            found = read_columns(file, lake.url(name), _COLUMNS)
            batches += [batch.filter(pc.starts_with(batch.column("uid"), prefix)) for batch in found]
    return pa.Table.from_batches(batches, _COLUMNS)


def _joined(old: pa.Table, new: pa.Table) -> Iterator[tuple[Change, pa.Table]]:
    """Rows that are not the same, by what happened to them."""
    yield "added", new.join(old.select(["uid"]), "uid", join_type="left anti")
    yield "removed", old.join(new.select(["uid"]), "uid", join_type="left anti")
    digests = old.select(["uid", "sha256"]).rename_columns(["uid", "before"])
    both = new.join(digests, "uid", join_type="inner")
    yield "changed", both.filter(pc.not_equal(both.column("sha256"), both.column("before")))


def _count(total: dict[str, Counter[str]], change: Change, values: pa.ChunkedArray) -> None:
    for count in values.value_counts().to_pylist():
        total.setdefault(count["values"] or "", Counter())[change] += count["counts"]


def _shorten(hosts: dict[str, Counter[str]]) -> None:
    """Keeps the table of hosts small: those seen least go, so counts of rare hosts may be too low."""
    if len(hosts) > 100_000:
        for host in sorted(hosts, key=lambda name: hosts[name].total())[:50_000]:
            del hosts[host]
