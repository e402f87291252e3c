"""Presets: the rules and thresholds of published pipelines, by name and language.

    rules = preset("fineweb-2", "de")
    reason = failed(Text(text, "de"), rules)         # name of the first rule that drops it, or None
    values = signals(Text(text, "de"), rules)        # every measure, to be judged later

Each preset names its reference implementation; `benchmarks/text_presets.py` compares the decisions, rule by rule.
"""

import tomllib
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from importlib.resources import files
from typing import Any

import msgspec

from allmende.errors import RecipeError
from allmende.filters.quality import fineweb, gopher, repetition
from allmende.filters.quality.text import Text

Measure = Callable[[Text], float]

ENGLISH_STOP_WORDS = frozenset({"the", "be", "to", "of", "and", "that", "have", "with"})
"""Gopher's eight (Rae et al. 2021)."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A measure and the values that a document may have."""

    name: str
    """Of the measure, and of the reason for which a document is dropped."""
    measure: Measure
    low: float = float("-inf")
    """Smallest value that stays."""
    high: float = float("inf")
    """Largest value that stays."""

    def keeps(self, value: float) -> bool:
        """True if a document with this value stays."""
        return self.low <= value <= self.high


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """Where a preset comes from, and how its rules are made for a language."""

    name: str
    reference: str
    """The implementation whose decisions it reproduces."""
    source: str
    languages: frozenset[str]
    """Those with thresholds of their own."""
    rules: Callable[[str], tuple[Rule, ...]]


def preset(name: str, language: str) -> tuple[Rule, ...]:
    """The rules of a preset for a language, in the order of the reference.

    Raises:
        RecipeError: if there is no such preset, or it has no thresholds for the language.
    """
    if name not in PRESETS:
        raise RecipeError(f"No preset {name!r}. There are: {', '.join(PRESETS)}.")
    chosen = PRESETS[name]
    if language not in chosen.languages:
        known = ", ".join(sorted(chosen.languages))
        raise RecipeError(f"The preset {name} has no thresholds for {language!r}. It has: {known}.")
    return chosen.rules(language)


def failed(text: Text, rules: tuple[Rule, ...]) -> str | None:
    """Name of the first rule that drops the document; None if it stays. Later rules are not even measured."""
    if not text.text.strip():
        return "empty"
    return next((rule.name for rule in rules if not rule.keeps(rule.measure(text))), None)


def signals(text: Text, rules: tuple[Rule, ...]) -> dict[str, float]:
    """The value of each rule's measure."""
    return {rule.name: rule.measure(text) for rule in rules} if text.text.strip() else {}


def _repetition(limits: Mapping[str, float]) -> tuple[Rule, ...]:
    """Gopher's repetition rules; one without a limit is left out."""
    plain: dict[str, Measure] = {
        "dup_para_frac": repetition.dup_para_frac,
        "dup_para_char_frac": repetition.dup_para_char_frac,
        "dup_line_frac": repetition.dup_line_frac,
        "dup_line_char_frac": repetition.dup_line_char_frac,
        **{f"top_{n}_gram": partial(repetition.top_gram_frac, n=n) for n in (2, 3, 4)},
        **{f"dup_{n}_gram": partial(repetition.dup_gram_frac, n=n) for n in range(5, 11)},
    }
    return tuple(
        Rule(name=name, measure=measure, high=limits[name]) for name, measure in plain.items() if limits.get(name)
    )


_GOPHER_REPETITION = {
    "dup_para_frac": 0.3,
    "dup_para_char_frac": 0.2,
    "dup_line_frac": 0.3,
    "dup_line_char_frac": 0.2,
    "top_2_gram": 0.2,
    "top_3_gram": 0.18,
    "top_4_gram": 0.16,
    "dup_5_gram": 0.15,
    "dup_6_gram": 0.14,
    "dup_7_gram": 0.13,
    "dup_8_gram": 0.12,
    "dup_9_gram": 0.11,
    "dup_10_gram": 0.1,
}


def _quality(
    lengths: tuple[float, float], letters: float, stop_words: frozenset[str], at_least: int = 2
) -> tuple[Rule, ...]:
    """Gopher's quality rules, with the values that depend on the language."""
    return (
        Rule(name="word_count", measure=gopher.word_count, low=50, high=100_000),
        Rule(name="mean_word_length", measure=gopher.mean_word_length, low=lengths[0], high=lengths[1]),
        Rule(name="hash_ratio", measure=gopher.hash_ratio, high=0.1),
        Rule(name="ellipsis_ratio", measure=gopher.ellipsis_ratio, high=0.1),
        Rule(name="bullet_line_frac", measure=gopher.bullet_line_frac, high=0.9),
        Rule(name="ellipsis_line_frac", measure=gopher.ellipsis_line_frac, high=0.3),
        Rule(name="letter_word_frac", measure=gopher.letter_word_frac, low=letters),
        Rule(name="stop_word_count", measure=partial(gopher.stop_word_count, stop_words=stop_words), low=at_least),
    )


def _lines(punct: float, short: float, duplicates: float, lists: float) -> tuple[Rule, ...]:
    """FineWeb's line rules."""
    return (
        Rule(name="line_punct_ratio", measure=fineweb.line_punct_ratio, low=punct),
        Rule(name="short_line_ratio", measure=fineweb.short_line_ratio, high=short),
        Rule(name="char_dup_ratio", measure=fineweb.char_dup_ratio, high=duplicates),
        Rule(name="list_ratio", measure=fineweb.list_ratio, high=lists),
    )


def _gopher(language: str) -> tuple[Rule, ...]:
    del language
    return _repetition(_GOPHER_REPETITION) + _quality((3, 10), 0.8, ENGLISH_STOP_WORDS)


def _fineweb(language: str) -> tuple[Rule, ...]:
    return _gopher(language) + _lines(0.12, 0.67, 0.01, 0.3)


def _fineweb_2(language: str) -> tuple[Rule, ...]:
    own = _thresholds()[language]
    lengths = own["min_avg_word_length"], own["max_avg_word_length"]
    letters, stop_words = own["max_non_alpha_words_ratio"], frozenset(own["stop_words"])
    return (
        _repetition(own)
        + _lines(own["line_punct_thr"], float("inf"), 0.1, own["new_line_ratio"])
        + _quality(lengths, letters, stop_words)
    )


@lru_cache(maxsize=1)
def _thresholds() -> dict[str, dict[str, Any]]:
    return tomllib.loads(files("allmende.filters.quality").joinpath("data/fineweb-2.toml").read_text("utf-8"))


def language_score(language: str) -> float:
    """FineWeb-2's smallest language score for a language, 0..1. It is made for GlotLID's scores."""
    score: float = _thresholds()[language]["language_score"]
    return score


_ENGLISH = frozenset({"en"})

PRESETS: dict[str, Preset] = {
    made.name: made
    for made in (
        Preset(
            name="gopher",
            reference="datatrove 0.10 GopherRepetitionFilter, GopherQualityFilter",
            source="Rae et al. 2021, Scaling Language Models, table A1 and appendix A.1.1",
            languages=_ENGLISH,
            rules=_gopher,
        ),
        Preset(
            name="fineweb",
            reference="datatrove 0.10 examples/fineweb.py without its C4 rules, which change the text",
            source="Penedo et al. 2024, The FineWeb Datasets",
            languages=_ENGLISH,
            rules=_fineweb,
        ),
        Preset(
            name="fineweb-2",
            reference="datatrove 0.10 with the configurations of huggingface/fineweb-2",
            source="Penedo et al. 2025, FineWeb2",
            languages=frozenset(_thresholds()),
            rules=_fineweb_2,
        ),
    )
}
