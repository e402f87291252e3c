"""The inside of an extractor process, a `child_process`: pages in, main texts out, as MessagePack.

`allmende.extract.main_text.process` starts it, and first sends an empty body. Each further one is a `Task`, and is
answered with a `MainText`, or with null if trafilatura failed on the page.
"""

import gc
import logging
import sys
from collections.abc import Iterator

import msgspec

from allmende import child_process
from allmende.extract.extractor import MainText
from allmende.extract.main_text.careful import extract_careful

COLLECT_EVERY = 100
"""Pages between two searches for cycles of garbage; more often costs a twentieth of the time, and finds little."""


class Task(msgspec.Struct, array_like=True):
    """A page."""

    html: str
    cheap: str
    markdown: bool


def answers(_first: bytes, pages: Iterator[bytes]) -> Iterator[bytes]:
    """Empty when the process is ready; then what is found on each page."""
    logging.disable(logging.CRITICAL)  # trafilatura says a line for each page without text
    gc.freeze()
    gc.disable()
    yield b""
    encode, decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(Task).decode
    for number, page in enumerate(pages, 1):
        yield encode(_extract(decode(page)))
        if number % COLLECT_EVERY == 0:
            gc.collect()


def _extract(task: Task) -> MainText | None:
    try:
        return extract_careful(task.html, task.cheap, markdown=task.markdown)
    except MemoryError:
        sys.exit("out of memory")  # what is left in this process is not to be trusted
    except Exception:  # noqa: BLE001 - whatever a library raises on a page is the fate of that page, and counted
        return None


if __name__ == "__main__":
    child_process.serve(answers)
