"""From a captured page to its main text and all that is known of it, or to the Reason why there is none.

    body ──► lists ──► first look ──► language ──► permission ──► careful look ──► row

What is cheap comes first: most pages of a crawl are in another language, or say next to nothing, and never meet the
careful extractor. The first look drops a language only if it is sure of it; the last word has `text_judge`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from allmende.commoncrawl.warc import WarcCapture
from allmende.extract.document import Body, read_facts
from allmende.extract.extractor import Extractor, MainText, plain_text
from allmende.extract.page import Facts, parse_date
from allmende.filters.charset_damage import undone_lines
from allmende.filters.document_language import Language, identify
from allmende.permission.gate import judge
from allmende.permission.licences import license_id
from allmende.permission.page import page_signals
from allmende.permission.policy import Policy, from_recipe
from allmende.permission.signal import Signal
from allmende.recipe import Recipe
from allmende.safety.lists import Lists
from allmende.schema import Reason
from allmende.steps.fates import Dropped
from allmende.steps.text_judge import Row, TextJudge

ALLOWED = "allowed"


class Source(NamedTuple):
    """A capture that may become a document."""

    capture: WarcCapture
    body: Body


class Page(msgspec.Struct, frozen=True, gc=False):
    """A page that passed the first look."""

    source: Source
    text: MainText
    """Of the first look."""
    language: Language
    facts: Facts
    signals: tuple[Signal, ...]


class Extracted(NamedTuple):
    """A page with its main text."""

    row: Row
    language: Language | None
    """Of the text; None if the first look had another one."""


class PageReader:
    """Reads pages.

    Args:
        recipe: Its sections text and permission are used.
        lists: Of unwanted and illegal content.
        extractor: Takes main texts off pages.
        judge: Says which texts are worth a careful look.
    """

    def __init__(self, recipe: Recipe, lists: Lists, extractor: Extractor, judge: TextJudge):
        self._text = recipe.text
        self._lists = lists
        self._extractor = extractor
        self._judge = judge
        self._policy = from_recipe(recipe.permission)

    def look(self, sources: Sequence[Source]) -> Iterator[Page | Dropped]:
        """The first look at pages, in order."""
        urls = [source.body.url for source in sources]
        unwanted, hits = self._lists.unwanted_urls(urls), self._lists.illegal_urls(urls, "page")
        for source, listed, hit in zip(sources, unwanted, hits, strict=True):
            if hit is not None:
                yield Dropped(Reason.LISTED, "", hit)
            elif listed:
                yield Dropped(Reason.URL_LISTED, row=_place(source))
            else:
                yield self._look(source)

    def _look(self, source: Source) -> Page | Dropped:
        body = source.body
        text = self._extractor.quick(body) if body.kind == "html" else plain_text(body)
        words = undone_lines(text.text)
        row = _place(source) | {"text": words}
        if reason := self._judge.flaw(words):
            return Dropped(reason, row=row)
        language = identify(words)
        if language.score >= self._text.min_language_score and not self._judge.wants(language.code):
            return Dropped(Reason.TEXT_LANGUAGE, language.code, row=row)
        facts = read_facts(body, source.capture)
        signals = self._signals(source, facts)
        verdict = judge(self._policy, signals)
        if not verdict.allowed:
            return Dropped(Reason.PERMISSION_DENIED, language.code, signal=verdict.signal, row=row)
        return Page(source, text, language, facts, signals)

    def finish(self, pages: Sequence[Page]) -> Iterator[Extracted | Dropped]:
        """The main texts of pages that passed the first look, in order."""
        careful = [page for page in pages if self._is_worth_more(page)]
        found = self._extractor.careful([page.source.body for page in careful], [page.text for page in careful])
        for page in pages:
            text = next(found) if self._is_worth_more(page) else page.text
            if isinstance(text, Reason):
                yield Dropped(text, page.language.code, row=_place(page.source) | {"text": page.text.text})
            else:
                yield self._extracted(page, text)

    def _is_worth_more(self, page: Page) -> bool:
        return self._text.careful and page.source.body.kind == "html"

    def _signals(self, source: Source, facts: Facts) -> tuple[Signal, ...]:
        """What the page reserves for its own words, as far as the policy heeds it."""
        told = page_columns(facts) | {"page_url": source.body.url, "captured_at": parse_date(source.capture.date)}
        found = page_signals(told, bears="document", agents=self._policy.ai_agents)
        return tuple(signal for signal in found if self._policy.heeds(signal.name))

    def _extracted(self, page: Page, main: MainText) -> Extracted:
        row = {
            **_place(page.source),
            "text": undone_lines(main.text),
            "markdown": undone_lines(main.markdown) if self._text.markdown and main.markdown is not None else None,
            "title": main.title and undone_lines(main.title),
            "author": main.author and undone_lines(main.author),
            "date": main.date,
            **page_columns(page.facts),
            "extractor": main.extractor,
            **permission_row(self._policy, page.signals),
        }
        return Extracted(row, page.language if main.text == page.text.text else None)


def _place(source: Source) -> Row:
    """Columns of a row that say which page it is, and where it was read, but for the archive."""
    capture = source.capture
    return {
        "url": source.body.url,
        "warc_offset": capture.offset,
        "warc_length": capture.length,
        "captured_at": parse_date(capture.date),
    }


def permission_row(policy: Policy, signals: Iterable[Signal]) -> Row:
    """Columns of `schema.PERMISSION_FACTS` of a row."""
    verdict = judge(policy, signals)
    return {
        "signals": [msgspec.structs.asdict(signal) for signal in verdict.signals or ()],
        "policy": policy.label,
        "verdict": ALLOWED if verdict.allowed else verdict.signal,
    }


def page_columns(facts: Facts) -> Row:
    """Columns of a row with what its page says about itself."""
    return {
        "page_language": facts.language,
        "page_license": facts.license,
        "page_license_id": facts.license and license_id(facts.license),
        "page_robots": facts.robots,
        "page_x_robots_tag": facts.x_robots_tag,
        "page_tdm_reservation": facts.tdm_reservation,
        "page_tdm_policy": facts.tdm_policy,
        "page_content_usage": facts.content_usage,
        "page_rsl": facts.rsl,
    }
