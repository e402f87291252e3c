"""Both tiers as the `Extractor` of a recipe: cheap in this process, careful in one that may be killed."""

from collections.abc import Iterator, Sequence

from allmende.extract.document import Body
from allmende.extract.extractor import MainText, tidy
from allmende.extract.main_text.cheap import extract_cheap, extract_prose
from allmende.extract.main_text.process import ExtractorProcess
from allmende.recipe import Text
from allmende.schema import Reason

PROSE_ONLY = "prose"
"""Extractor of a first look that found no main content, but long lines: they are worth a careful look, and no document."""


class TwoTiers:
    """Resiliparse first, trafilatura for what is left. Its process starts with the first page that needs it.

    Args:
        text: The recipe's section; its deadline, memory cap, `min_chars` and `markdown` are used.
    """

    def __init__(self, text: Text):
        self._markdown = text.markdown
        self._least = text.min_chars
        self._process = ExtractorProcess(text.extract_seconds, text.extract_bytes)

    def quick(self, body: Body) -> MainText:
        """The cheap tier; where it finds next to nothing, what prose there is."""
        cheap = MainText(tidy(extract_cheap(body.content)), "resiliparse")
        if len(cheap.text) >= self._least:
            return cheap
        prose = tidy(extract_prose(body.content))
        return MainText(prose, PROSE_ONLY) if len(prose) >= self._least else cheap

    def careful(self, bodies: Sequence[Body], quick: Sequence[MainText]) -> Iterator[MainText | Reason]:
        """The careful tier, page by page as they are asked for."""
        for body, look in zip(bodies, quick, strict=True):
            cheap = "" if look.extractor == PROSE_ONLY else look.text
            yield self._process.extract(body.content, cheap, markdown=self._markdown)

    def close(self) -> None:
        """Ends the process."""
        self._process.close()
