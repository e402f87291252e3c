"""The seam for what takes the main text off a page: a quick look at every page, a careful one at those that are left."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from allmende.extract.document import Body
from allmende.extract.main_text.cheap import extract_cheap
from allmende.recipe import Text
from allmende.schema import Reason


class MainText(msgspec.Struct, frozen=True, gc=False):
    """What a page says, without what stands around it on every page of its site."""

    text: str
    """Lines ended by line feeds; empty if there is none."""
    extractor: str
    """What took it off the page."""
    markdown: str | None = None
    title: str | None = None
    author: str | None = None
    date: str | None = None
    """ISO 8601."""


class Extractor(Protocol):
    """Takes the main text off pages."""

    def quick(self, body: Body) -> MainText:
        """A cheap look, to decide whether a page is worth more."""

    def careful(self, bodies: Sequence[Body], quick: Sequence[MainText]) -> Iterator[MainText | Reason]:
        """The main texts of pages, in order; for a page that it took too long over, or died of, a Reason.

        Args:
            bodies: The pages.
            quick: What the quick look found on each.
        """

    def close(self) -> None:
        """Ends its processes."""


class Quick:
    """The cheap tier of `main_text` for both."""

    def quick(self, body: Body) -> MainText:
        """See `Extractor.quick`."""
        return MainText(tidy(extract_cheap(body.content)), "resiliparse")

    def careful(self, bodies: Sequence[Body], quick: Sequence[MainText]) -> Iterator[MainText | Reason]:
        """See `Extractor.careful`."""
        del bodies
        return iter(quick)

    def close(self) -> None:
        """Nothing to end."""


def make_extractor(text: Text) -> Extractor:
    """What a recipe asks for."""
    if not text.careful:
        return Quick()
    from allmende.extract.main_text.tiers import TwoTiers  # it needs the names of this module

    return TwoTiers(text)


def plain_text(body: Body) -> MainText:
    """The text of what is no HTML."""
    return MainText(tidy(body.content), body.kind)


def tidy(text: str) -> str:
    """Lines without white space at their end, at most one empty line between two; only what UTF-8 can encode."""
    lines: list[str] = []
    for line in map(str.rstrip, text.split("\n")):
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).strip("\n").encode("utf-8", "replace").decode()
