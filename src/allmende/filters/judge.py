"""The judge: of an image's words, the first that pass every rule become its caption."""

from collections.abc import Mapping

from allmende.extract.judge import Verdict
from allmende.filters.captions import normalise_caption
from allmende.filters.language import UNDECIDED, Language, identify, known_languages
from allmende.filters.rules import broken_rule
from allmende.filters.urls import UrlRules
from allmende.recipe import Captions, Urls
from allmende.schema import Reason


class CaptionJudge:
    """Implements `allmende.extract.judge.LinkJudge` with the recipe's `[captions]`, `[urls]` and caption sources.

    The URL is asked first. Then the sources in order: the first whose words pass all rules is the caption. If none
    does, the Reason is that of the first source that had words: the one the page's author meant as description.
    Picklable, so that it can be sent to workers.

    Raises:
        RecipeError: `urls.blocked` has a pattern that is none, or `captions.languages` a language nobody identifies.
    """

    __slots__ = ("_captions", "_languages", "_sources", "_urls")

    def __init__(self, captions: Captions, urls: Urls, sources: tuple[str, ...]) -> None:
        self._captions = captions
        self._languages = known_languages(captions.languages)
        self._sources = sources
        self._urls = UrlRules(urls)

    def __call__(self, url: str, words: Mapping[str, str]) -> Verdict | Reason:
        """Choose a caption, or give the Reason why there is none."""
        if self._urls.blocks(url):
            return Reason.URL_BLOCKED
        first: Reason | None = None
        for source in self._sources:
            if source not in words:
                continue
            caption = normalise_caption(words[source])
            if not caption:
                continue
            result = self._judge(caption, source)
            if isinstance(result, Verdict):
                return result
            first = first or result
        return first or Reason.NO_CAPTION

    def _judge(self, caption: str, source: str) -> Verdict | Reason:
        reason = broken_rule(caption, self._captions)
        if reason is not None:
            return reason
        language = self._language(caption)
        if self._languages and language.code not in self._languages:
            return Reason.CAPTION_LANGUAGE
        return Verdict(caption, source, language.code, language.score)

    def _language(self, caption: str) -> Language:
        language = identify(caption)
        return language if language.score >= self._captions.min_language_score else Language(UNDECIDED, 0.0)
