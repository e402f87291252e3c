"""What may be wrong with a dataset, and a list of it that stays short."""

from collections import Counter

import msgspec

from allmende.maintain.explained import Explained

EXAMPLES = 20
"""Problems of one kind that are told one by one; all are counted."""


class Flaw(Explained):
    """A kind of problem: `value, explanation`."""

    MANIFEST_MISSING = "manifest_missing", "Nothing tells size and digest of the files: no manifest was found."
    MANIFEST_DAMAGED = "manifest_damaged", "A manifest can't be read, or names what no manifest names."
    FILE_MISSING = "file_missing", "A file of the manifest is not there."
    FILE_SIZE = "file_size", "A file has another size than its manifest says."
    FILE_DIGEST = "file_digest", "A file has another SHA-256 than its manifest says."
    FILE_STRAY = "file_stray", "A file lies among the shards that no manifest names."
    UNSAFE = (
        "unsafe",
        "A file or member may harm who unpacks or loads it: pickles, programs, paths that lead elsewhere.",
    )
    ARCHIVE_DAMAGED = "archive_damaged", "A tar file is damaged, cut off or holds something else than plain files."
    TABLE_DAMAGED = "table_damaged", "A metadata table can't be read, or lacks columns."
    KEY_ORDER = "key_order", "The keys of a shard do not rise, or do not belong to it."
    COUNT = "count", "Numbers contradict each other: rows of a table, of a manifest, of the statistics."
    MEMBER_MISSING = "member_missing", "A sample lacks its image, JSON or caption."
    MEMBER_STRAY = "member_stray", "A member belongs to no sample of the metadata table."
    MEMBER_PLACE = "member_place", "A member does not lie where the metadata table says, or has another size."
    IMAGE_FORMAT = "image_format", "An image is not in the format that its row says."
    IMAGE_SIZE = "image_size", "An image has other sides than its row says."
    IMAGE_UNDECODABLE = "image_undecodable", "An image can't be decoded (with `--decode`)."
    IMAGE_OTHER = "image_other", "An image shows something else than its perceptual hash says (with `--decode`)."
    JSON = "json", "The JSON of a sample contradicts its row of the metadata table; a line is no document."
    CAPTION = "caption", "The caption beside an image contradicts its row of the metadata table."
    TEXT = "text", "Numbers of a document are not those of its text: characters, words, key."
    UID = "uid", "The uid of a sample is not that of its URL and caption, or text."


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong."""

    kind: str
    """A value of `Flaw`."""
    where: str
    """File, and member or sample in it."""
    what: str


class Problems:
    """Counts problems, and keeps the first of each kind."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.first: list[Problem] = []

    def add(self, kind: Flaw, where: str, what: str) -> None:
        """Notes one."""
        self.counts[kind.value] += 1
        if self.counts[kind.value] <= EXAMPLES:
            self.first.append(Problem(kind.value, where, what))
