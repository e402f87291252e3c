"""Presets: the rules and thresholds of published pipelines, by name and language.

    outcome = find_preset("fineweb-2").apply(Text(text, "de"))
    outcome.text, outcome.reason                     # what is left; name of the rule that drops it, or None

    find_preset("fineweb-2").apply(Text(text, "de"), signals=True).signals    # every value, to be judged later

Each preset names its reference implementation; `benchmarks/text_presets.py` compares the decisions, rule by rule.
"""

import tomllib
from collections.abc import Callable, Mapping
from functools import cache, lru_cache, partial
from importlib.resources import files
from typing import Any

import msgspec

from allmende.errors import RecipeError
from allmende.filters.quality import c4, dolma, fineweb, gopher, refinedweb, refinedweb_lines, repetition
from allmende.filters.quality.rule import EMPTY, Limit, Outcome, Rule, Step, judge
from allmende.filters.quality.text import Text

Measure = Callable[[Text], float]

ENGLISH_STOP_WORDS = frozenset({"the", "be", "to", "of", "and", "that", "have", "with"})
"""Gopher's eight (Rae et al. 2021)."""


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """Where a preset comes from, and how its steps are made for a language."""

    name: str
    reference: str
    """The implementation whose decisions it reproduces."""
    source: str
    languages: frozenset[str]
    """Those that it has thresholds for."""
    make: Callable[[str], tuple[Step, ...]]

    def steps(self, language: str) -> tuple[Step, ...]:
        """Rules and edits for a language, in the order of the reference.

        Raises:
            RecipeError: if the preset has no thresholds for the language.
        """
        if language not in self.languages:
            known = ", ".join(sorted(self.languages))
            raise RecipeError(f"The preset {self.name} has no thresholds for {language!r}. It has: {known}.")
        return _made(self.name, language)

    def limits(self, language: str) -> tuple[Limit, ...]:
        """All limits for a language, in order: what `signals` are judged by."""
        return tuple(limit for step in self.steps(language) for limit in step.limits)

    def apply(self, text: Text, *, signals: bool = False) -> Outcome:
        """What becomes of a document.

        Args:
            text: The document.
            signals: Measure all, even after the first broken limit.

        Raises:
            RecipeError: if the preset has no thresholds for the document's language.
        """
        return judge(text, self.steps(text.language), signals=signals)


def find_preset(name: str) -> Preset:
    """The preset of a name.

    Raises:
        RecipeError: if there is none.
    """
    if name not in PRESETS:
        raise RecipeError(f"No preset {name!r}. There are: {', '.join(PRESETS)}.")
    return PRESETS[name]


def reasons() -> tuple[str, ...]:
    """All names of reasons for which any preset drops a document."""
    names = {EMPTY: None}
    for preset in PRESETS.values():
        for language in sorted(preset.languages):
            names.update(dict.fromkeys(limit.name for limit in preset.limits(language)))
    return tuple(names)


@cache
def _made(name: str, language: str) -> tuple[Step, ...]:
    return PRESETS[name].make(language)


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
    lengths: tuple[float, float], letters: float, common: frozenset[str], at_least: int = 2
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
        Rule(name="stop_word_count", measure=partial(gopher.stop_word_count, stop_words=common), low=at_least),
    )


def _lines(punct: float, short: float, duplicates: float, lists: float) -> tuple[Rule, ...]:
    """FineWeb's line rules."""
    return (
        Rule(name="line_punct_ratio", measure=fineweb.line_punct_ratio, low=punct),
        Rule(name="short_line_ratio", measure=fineweb.short_line_ratio, high=short),
        Rule(name="char_dup_ratio", measure=fineweb.char_dup_ratio, high=duplicates),
        Rule(name="list_ratio", measure=fineweb.list_ratio, high=lists),
    )


def _gopher(language: str) -> tuple[Step, ...]:
    del language
    return _repetition(_GOPHER_REPETITION) + _quality((3, 10), 0.8, ENGLISH_STOP_WORDS)


def _c4(language: str) -> tuple[Step, ...]:
    del language
    return (c4.c4(c4.DATATROVE),)


def _c4_original(language: str) -> tuple[Step, ...]:
    del language
    return (c4.c4(c4.ORIGINAL),)


def _fineweb(language: str) -> tuple[Step, ...]:
    return (*_gopher(language), c4.c4(c4.FINEWEB), *_lines(0.12, 0.67, 0.01, 0.3))


def _fineweb_2(language: str) -> tuple[Step, ...]:
    own = _thresholds()[language]
    lengths = own["min_avg_word_length"], own["max_avg_word_length"]
    return (
        _repetition(own)
        + _lines(own["line_punct_thr"], float("inf"), 0.1, own["new_line_ratio"])
        + _quality(lengths, own["max_non_alpha_words_ratio"], stop_words("fineweb-2", language))
    )


def _gopher_dolma(language: str) -> tuple[Step, ...]:
    del language
    grams: dict[str, Measure] = {
        **{f"top_{n}_gram": partial(dolma.top_gram_frac, n=n) for n in (2, 3, 4)},
        **{f"dup_{n}_gram": partial(dolma.dup_gram_frac, n=n) for n in range(5, 11)},
    }
    return (
        *(Rule(name=name, measure=grams[name], high=_GOPHER_REPETITION[name]) for name in grams),
        Rule(name="word_count", measure=dolma.word_count, low=50, high=100_000),
        Rule(name="median_word_length", measure=dolma.median_word_length, low=3, high=10),
        Rule(name="symbol_ratio", measure=dolma.symbol_ratio, high=0.1),
        Rule(name="letter_word_frac", measure=dolma.letter_word_frac, low=0.8),
        Rule(name="stop_word_count", measure=dolma.stop_word_count, low=2),
        Rule(name="bullet_line_frac", measure=dolma.bullet_line_frac, high=0.9),
        Rule(name="ellipsis_line_frac", measure=dolma.ellipsis_line_frac, high=0.3),
        Rule(name="dup_line_frac", measure=dolma.dup_line_frac, high=0.3),
        Rule(name="dup_line_char_frac", measure=dolma.dup_line_char_frac, high=0.3),
    )


def _dclm(language: str) -> tuple[Step, ...]:
    del language
    of = refinedweb
    grams: dict[str, Measure] = {
        **{f"top_{n}_gram": partial(of.top_gram_frac, n=n) for n in (2, 3, 4)},
        **{f"dup_{n}_gram": partial(of.dup_gram_frac, n=n) for n in range(5, 11)},
    }
    return (
        refinedweb_lines.ADDRESSES,
        Rule(name="word_count", measure=of.word_count, low=50, high=100_000),
        Rule(name="mean_word_length", measure=of.mean_word_length, low=3, high=10),
        Rule(name="symbol_ratio", measure=of.symbol_ratio, high=0.1),
        Rule(name="bullet_line_frac", measure=of.bullet_line_frac, high=0.9),
        Rule(name="ellipsis_line_frac", measure=of.ellipsis_line_frac, high=0.3),
        Rule(name="letter_word_frac", measure=of.letter_word_frac, low=0.8),
        Rule(name="stop_word_count", measure=of.stop_word_count, low=2),
        Rule(name="dup_line_frac", measure=of.dup_line_frac, high=0.3),
        Rule(name="dup_para_frac", measure=of.dup_para_frac, high=0.3),
        Rule(name="dup_line_char_frac", measure=of.dup_line_char_frac, high=0.2),
        Rule(name="dup_para_char_frac", measure=of.dup_para_char_frac, high=0.2),
        *(Rule(name=name, measure=grams[name], high=_GOPHER_REPETITION[name]) for name in grams),
        refinedweb_lines.NOISE,
    )


@lru_cache(maxsize=1)
def _thresholds() -> dict[str, dict[str, Any]]:
    return tomllib.loads(files("allmende.filters.quality").joinpath("data/fineweb-2.toml").read_text("utf-8"))


def stop_words(name: str, language: str) -> frozenset[str]:
    """The stop words of a preset for a language."""
    return frozenset(_thresholds()[language]["stop_words"]) if name == "fineweb-2" else ENGLISH_STOP_WORDS


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
            make=_gopher,
        ),
        Preset(
            name="fineweb",
            reference="datatrove 0.10 examples/fineweb.py: its filters of text, from GopherRepetitionFilter on",
            source="Penedo et al. 2024, The FineWeb Datasets",
            languages=_ENGLISH,
            make=_fineweb,
        ),
        Preset(
            name="c4",
            reference="datatrove 0.10 C4QualityFilter",
            source="Raffel et al. 2020, Exploring the Limits of Transfer Learning, section 2.2",
            languages=_ENGLISH,
            make=_c4,
        ),
        Preset(
            name="gopher-dolma",
            reference="dolma 1.2 gopher_v1 with the thresholds of Dolma's configurations",
            source="Soldaini et al. 2024, Dolma; Rae et al. 2021",
            languages=_ENGLISH,
            make=_gopher_dolma,
        ),
        Preset(
            name="c4-original",
            reference="tensorflow_datasets c4_utils.py, but for its sentences",
            source="Raffel et al. 2020, Exploring the Limits of Transfer Learning, section 2.2",
            languages=_ENGLISH,
            make=_c4_original,
        ),
        Preset(
            name="dclm-heuristics",
            reference="mlfoundations/dclm 361714b dclm_baseline_refinedweb.yaml: its steps on the text",
            source="Li et al. 2024, DataComp-LM; Penedo et al. 2023, The RefinedWeb Dataset",
            languages=_ENGLISH,
            make=_dclm,
        ),
        Preset(
            name="fineweb-2",
            reference="datatrove 0.10 with the configurations of huggingface/fineweb-2",
            source="Penedo et al. 2025, FineWeb2",
            languages=frozenset(_thresholds()),
            make=_fineweb_2,
        ),
    )
}
