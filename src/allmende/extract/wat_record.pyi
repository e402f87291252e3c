from allmende.commoncrawl.wat import HeadLink
from allmende.extract.page import Link
from allmende.schema import Reason

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
    ) -> tuple[list[Link], dict[Reason, int]] | None: ...

def read_usual(data: bytes | bytearray, block: int) -> UsualRecord | None: ...
