"""`report.html`: one page that shows what a dataset is and how it came about. Self-contained; it loads nothing and runs nothing.

Captions, host names and licences come from strangers: templates escape everything, links are http(s) only, and a
content security policy forbids scripts and requests should the page ever err.
"""

import base64
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from allmende.dedup.evaluation_sets import EvaluationSet
from allmende.publish import charts
from allmende.publish.excerpts import Excerpt
from allmende.publish.figures import Figures, Pace
from allmende.publish.funnel import Stage, explanation, percent
from allmende.publish.gallery import Picture
from allmende.publish.language_funnel import LanguageFunnel
from allmende.publish.text_figures import TextFigures
from allmende.recipe import Recipe
from allmende.safety.block_list import About
from allmende.schema import Reason

if TYPE_CHECKING:
    from jinja2 import Environment


class ReportBase(msgspec.Struct, frozen=True, kw_only=True):
    """What the report and the dataset card say of every dataset."""

    recipe: Recipe
    recipe_toml: str
    """The resolved recipe as it is stored beside the data."""
    version: str
    """Version of Allmende that built the dataset."""
    created: str
    """Day of the release, ISO 8601."""
    stages: tuple[Stage, ...]
    shards: tuple[str, ...]
    """Names of the shards."""
    release_bytes: int
    """Size of all shards with their metadata."""
    lists: tuple[About, ...] = ()
    """Lists of known illegal and of unwanted content that files were compared with."""
    personal: dict[str, int] = msgspec.field(default_factory=dict)
    """Pieces of personal data in words that were replaced by a placeholder, by kind; empty if nobody looked."""

    @property
    def listed(self) -> int:
        """Rows dropped because they are on a list of known illegal content."""
        return self._dropped(Reason.LISTED)

    @property
    def unwanted(self) -> int:
        """Rows dropped because their host, domain or URL is in an unwanted category."""
        return self._dropped(Reason.URL_LISTED)

    @property
    def taken_down(self) -> int:
        """Rows dropped because they were taken down."""
        return self._dropped(Reason.TAKEN_DOWN)

    def _dropped(self, reason: Reason) -> int:
        return sum(stage.dropped.get(str(reason), 0) for stage in self.stages)


class ReportData(ReportBase, frozen=True, kw_only=True):
    """Everything that the report and the dataset card of images say."""

    figures: Figures
    asked: int
    """Files asked for, each URL once, whatever number of captions it has."""
    arrived: int
    """Those of them that stayed."""
    bytes_received: int
    """Bodies on the wire, of repeats too: what `allmende status` says."""
    pace: Pace
    gallery: tuple[Picture, ...]
    kept: dict[str, str] = {}
    """Columns that were kept of a URL table, and their kinds."""


class RepeatedLines(msgspec.Struct, frozen=True):
    """Lines, or paragraphs, that many pages of their host have."""

    page_chars: int
    """Characters of all pages before any were taken out."""
    chars: int
    """Characters that went with them."""
    lines: int
    pages: int
    """Pages that had some."""
    examples: tuple[tuple[str, str, int], ...]
    """Those that most of some pages had: host, line, number of these pages."""


class TextReport(ReportBase, frozen=True, kw_only=True):
    """Everything that the report and the dataset card of text say."""

    figures: TextFigures
    funnel: LanguageFunnel
    """What became of pages of each language."""
    excerpts: tuple[Excerpt, ...]
    repeated: RepeatedLines | None = None
    """What was taken out of texts; None if nobody looked."""
    evaluation_sets: tuple[EvaluationSet, ...] = ()
    """Sets that documents were compared with."""


def source_line(recipe: Recipe) -> str:
    """What was read, in a few words: `CC-MAIN-2026-43, 10 WAT files`."""
    select = recipe.select
    if select.urls:
        return f"URL table {_first(select.urls)}"
    if select.archives:
        return f"archives {_first(select.archives)}"
    return f"{select.crawl}, {select.files or 'all'} {select.kind.upper()} files"


def _first(names: tuple[str, ...]) -> str:
    shown = names[0].rsplit("/", 1)[-1]
    return shown if len(names) == 1 else f"{shown} and {len(names) - 1} more"


def report_html(data: ReportData | TextReport) -> str:
    """The report as one HTML document, less than 2 MB."""
    page = environment().get_template("report_text.html.j2" if isinstance(data, TextReport) else "report.html.j2")
    return page.render(data=data, figures=data.figures, source=source_line(data.recipe), charts=charts)


@cache
def environment() -> "Environment":
    """The template engine: escapes everything, fails on unknown names."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    engine = Environment(
        loader=PackageLoader("allmende.publish"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters: dict[str, Callable[..., Any]] = {
        "count": lambda number: f"{number:,}",
        "amount": charts.amount,
        "duration": charts.duration,
        "percent": percent,
        "explanation": explanation,
        "jpeg_url": lambda content: f"data:image/jpeg;base64,{base64.b64encode(content).decode()}",
    }
    engine.filters.update(filters)
    return engine
