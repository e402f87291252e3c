"""Both tiers as the `Extractor` of a recipe: cheap in this process, careful in one that may be killed."""

from collections.abc import Iterator, Sequence

from allmende.extract.document import Body
from allmende.extract.extractor import MainText, tidy
from allmende.extract.main_text.cheap import extract_cheap
from allmende.extract.main_text.process import ExtractorProcess
from allmende.recipe import Text
from allmende.schema import Reason


class TwoTiers:
    """Resiliparse first, trafilatura for what is left. Its process starts with the first page that needs it.

    Args:
        text: The recipe's section; its deadline, memory cap and `markdown` are used.
    """

    def __init__(self, text: Text):
        self._markdown = text.markdown
        self._process = ExtractorProcess(text.extract_seconds, text.extract_bytes)

    def quick(self, body: Body) -> MainText:
        """The cheap tier."""
        return MainText(tidy(extract_cheap(body.content)), "resiliparse")

    def careful(self, bodies: Sequence[Body], quick: Sequence[MainText]) -> Iterator[MainText | Reason]:
        """The careful tier, page by page as they are asked for."""
        for body, cheap in zip(bodies, quick, strict=True):
            yield self._process.extract(body.content, cheap.text, markdown=self._markdown)

    def close(self) -> None:
        """Ends the process."""
        self._process.close()
