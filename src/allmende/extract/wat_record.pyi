from collections.abc import Iterator, Sequence

import pyarrow as pa

from allmende.commoncrawl.wat import HeadLink
from allmende.extract.page import Link
from allmende.schema import Reason

class WatLinks:
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Link]: ...
    def __getitem__(self, place: int) -> Link: ...
    def append(self, link: Link, /) -> None: ...
    def add_named(self, named: Sequence[tuple[str, str, str]]) -> int: ...
    @staticmethod
    def columns(pages: Sequence[WatLinks]) -> dict[str, pa.Array]: ...

class UsualRecord:
    url: str
    date: str
    type: str
    status: str
    base: str
    license: str
    warc_file: str
    warc_offset: int
    warc_length: int
    metas: list[tuple[str, str]]
    links: list[HeadLink]
    headers: dict[str, list[str]]
    def images(
        self, base: str, origin: str, folder: str, longest: int
    ) -> tuple[WatLinks, dict[Reason, int]] | None: ...

def read_usual(data: bytes | bytearray, block: int) -> UsualRecord | None: ...
