"""Stored images, decoded to see that they are what their rows say. Decoding strangers' files is for processes of their own."""

import asyncio
from types import TracebackType
from typing import Self

from allmende.maintain.problem import Flaw, Problems
from allmende.maintain.shards import Sample
from allmende.media.decoder import DecoderPool
from allmende.recipe import Images
from allmende.schema import Reason

SAME_PICTURE = 31
"""Most bits of 256 in which PDQ hashes of one picture differ (Facebook 2019, "PDQ & TMK + PDQF")."""

DETAIL = 50
"""Below this PDQ quality a picture has too little detail to tell."""

ANY_IMAGE = Images(min_bytes=0, min_side=0, max_aspect_ratio=1e9, drop_single_colour=False, mode="no", quality=1)
"""Everything that can be decoded is; the copy that comes back is thrown away, so it is a bad one."""


def distance(one: str, other: str) -> int:
    """Bits in which two perceptual hashes differ, 0..256. Both have 64 hexadecimal digits."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


class StoredImages:
    """Decodes images, a few at a time. An asynchronous context manager.

    Args:
        processes: Decoders.
        problems: Gets what is wrong.
    """

    def __init__(self, processes: int, problems: Problems):
        self._pool = DecoderPool(processes, ANY_IMAGE)
        self._most = 4 * processes
        self._problems = problems
        self._waiting: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._pool.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            await asyncio.gather(*self._waiting)
        await self._pool.__aexit__(kind, error, trace)

    async def check(self, sample: Sample) -> None:
        """Has a sample's image looked at; returns when there is room for the next."""
        self._waiting.add(asyncio.create_task(self._check(sample)))
        if len(self._waiting) >= self._most:
            done, self._waiting = await asyncio.wait(self._waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    async def _check(self, sample: Sample) -> None:
        row = sample.row
        found = await self._pool.process(sample.image)
        if isinstance(found, Reason):
            self._problems.add(Flaw.IMAGE_UNDECODABLE, sample.where, str(found))
        elif not _comparable(row) or found.phash_quality < DETAIL:
            return
        elif (bits := distance(found.phash, row["phash"])) > SAME_PICTURE:
            self._problems.add(Flaw.IMAGE_OTHER, sample.where, f"{bits} of 256 bits differ")


def _comparable(row: dict[str, object]) -> bool:
    """Whether the stored image shows all of the one that was hashed: it was not cut, nor padded, and has detail."""
    names = ("phash", "phash_quality", "original_width", "original_height", "width", "height")
    if any(row.get(name) is None for name in names) or len(str(row["phash"])) != 64:
        return False
    quality, *sides = (int(str(row[name])) for name in names[1:])
    original_width, original_height, width, height = sides
    return quality >= DETAIL and abs(original_width * height - original_height * width) <= max(
        original_width, original_height
    )
