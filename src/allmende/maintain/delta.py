"""One file made from another: the new file in pieces, each packed by zstd with a stretch of the old file as dictionary.

What did not change costs a few bytes for each match, as with `zstd --patch-from`. That command holds both files, and a window as
large as both, in memory; here a piece of 6 MiB sees the 14 MiB of the old file around the place where it should have come
from, so making and applying take 60 MB whatever the size of the files. When samples go, what follows moves up by as much; in a
shard of 300 MB that is far less than the 4 MiB to both sides that are searched. If something moved further, the patch gets
larger, and nothing else happens.

zstd looks at no more than 16 MiB of a dictionary, and at the last `8 << hash_log` bytes of it: with the tables of its usual
levels most of the stretch would be ignored. Measured on a shard of 64 MB that lost 21 of 2,000 images: 60.9 MB packed at
level 1 as it is, 18.3 MB with hash_log 20, 23 kB with hash_log 21 and matches of 7 bytes or more, at 56 MB/s.
`bsdiff` needs 17 times the size of the old file in memory; xdelta3 has no maintained package for Python.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import BinaryIO

import msgspec
import zstandard

from allmende.errors import Untrusted

PIECE = 6 << 20
AROUND = 4 << 20
"""Bytes of the old file before and behind the place where a piece should have come from."""
_WINDOW = 25
"""log2 of what a match may reach back over: 32 MiB hold the stretch and the piece."""
_LEVEL, _HASH_LOG, _SHORTEST = 1, 21, 7


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """A piece of a new file."""

    begin: int
    """First byte of the old file that it was packed with."""
    end: int
    """One behind the last; the same if there is no old file."""
    size: int
    """Bytes of the new file."""
    packed: int
    """Bytes in the patch."""
    sha256: str
    """Of these."""


def pack(new: BinaryIO, new_size: int, old: BinaryIO | None, old_size: int) -> Iterator[tuple[Piece, bytes]]:
    """The pieces of a file, in order, and each one's packed bytes.

    Args:
        new: The file, at its beginning.
        new_size: Its size.
        old: What it is made from; None packs it as it is.
        old_size: Its size.
    """
    for at in range(0, new_size, PIECE):
        content = new.read(min(PIECE, new_size - at))
        begin, end = _stretch(at, len(content), new_size, old_size) if old else (0, 0)
        dictionary = _dictionary(old, begin, end)
        settings = zstandard.ZstdCompressionParameters.from_level(
            _LEVEL,
            window_log=_WINDOW,
            hash_log=_HASH_LOG,
            min_match=_SHORTEST,
            source_size=len(content),
            dict_size=end - begin,
        )
        packed = zstandard.ZstdCompressor(dict_data=dictionary, compression_params=settings).compress(content)
        yield Piece(begin, end, len(content), len(packed), sha256(packed).hexdigest()), packed


def unpack(piece: Piece, packed: bytes, old: BinaryIO | None) -> bytes:
    """The bytes of the new file that a piece stands for.

    Raises:
        Untrusted: if the piece does not fit the old file.
    """
    reader = zstandard.ZstdDecompressor(
        dict_data=_dictionary(old, piece.begin, piece.end), max_window_size=1 << _WINDOW
    )
    try:
        content = reader.decompress(packed, max_output_size=piece.size)
    except zstandard.ZstdError as error:
        raise Untrusted(f"The patch does not fit ({error}).") from error
    if len(content) != piece.size:
        raise Untrusted("The patch does not fit: a piece has another size than it says.")
    return content


def _stretch(at: int, size: int, new_size: int, old_size: int) -> tuple[int, int]:
    """The part of the old file that a piece is compared with."""
    place = at * old_size // new_size
    return max(0, place - AROUND), min(old_size, place + size + AROUND)


def _dictionary(old: BinaryIO | None, begin: int, end: int) -> zstandard.ZstdCompressionDict | None:
    if old is None or begin == end:
        return None
    old.seek(begin)
    return zstandard.ZstdCompressionDict(old.read(end - begin), dict_type=zstandard.DICT_TYPE_RAWCONTENT)
