"""The quality rules of a recipe: a preset's for each language, with the thresholds that the recipe changes."""

import re
from functools import cache
from typing import NamedTuple, TypeVar

import msgspec

from allmende.errors import RecipeError
from allmende.filters.classifiers.scorer import PREFIX, load, parse_model
from allmende.filters.quality import rule
from allmende.filters.quality.presets import find_preset
from allmende.filters.quality.rule import Edit, Limit
from allmende.filters.quality.text import Text
from allmende.recipe import Quality
from allmende.schema import Reason

T = TypeVar("T", bound=Limit)
_limit = re.compile(
    r"(?:(?P<language>[a-z]{2,3})\s*:\s*)?(?P<name>(?:model:)?[\w-]+)\s*(?P<sign><=|>=)\s*(?P<value>-?[\d.]+)"
).fullmatch


class Judged(NamedTuple):
    """What the rules make of a text."""

    text: str
    """Without the lines that the preset takes out."""
    reason: Reason | None
    values: dict[str, float] | None
    """Of each measure, if they are to be stored."""


class Change(NamedTuple):
    """A threshold that the recipe changes."""

    language: str
    """Empty for all."""
    name: str
    side: str
    """low or high."""
    value: float


class QualityRules:
    """Judges texts, or stored values.

    With `quality.signals` nothing is dropped by `judge`: the step `quality` does it, by the stored values.

    Args:
        quality: Of the recipe.

    Raises:
        RecipeError: if a line of `limits` or `models` is none, or names a measure that the preset does not have.
        SourceMissing: if a model without digest does not exist.
    """

    def __init__(self, quality: Quality):
        self._signals = quality.signals
        self._preset = quality.preset
        self._models = tuple(parse_model(line).rule for line in quality.models)
        self._changes = [_change(line) for line in quality.limits]
        self._steps = cache(self._made)
        known = {limit for name in self._presets() for limit in _limit_names(name)}
        known |= {model.name for model in self._models}
        for change in self._changes:
            if change.name not in known:
                raise RecipeError(f"[quality] limits: {quality.preset} has no measure {change.name!r}.")

    def knows(self, language: str) -> bool:
        """Whether there are thresholds for a language."""
        return self._preset == "none" or language in find_preset(self._name(language)).languages

    def judge(self, text: str, language: str) -> Judged:
        """Judges a text in a language that is known."""
        outcome = rule.judge(Text(text, language), self._steps(language), signals=self._signals)
        if self._signals and outcome.text:
            return Judged(outcome.text, None, outcome.signals)
        return Judged(outcome.text, quality_reason(outcome.reason) if outcome.reason else None, None)

    def broken(self, language: str, values: dict[str, float]) -> Reason | None:
        """Why a document goes, by its stored values; None if it stays. What was not measured decides nothing."""
        if not self.knows(language):
            return Reason.TEXT_LANGUAGE
        for step in self._steps(language):
            for limit in step.limits:
                value = values.get(limit.name)
                if value is not None and not limit.keeps(value):
                    return quality_reason(limit.name)
        return None

    def limits(self, language: str) -> tuple[Limit, ...]:
        """All limits for a language, in order; none if there are no thresholds for it."""
        if not self.knows(language):
            return ()
        return tuple(limit for step in self._steps(language) for limit in step.limits)

    def _name(self, language: str) -> str:
        """FineWeb-2 leaves English to FineWeb."""
        return "fineweb" if (self._preset, language) == ("fineweb-2", "en") else self._preset

    def _presets(self) -> list[str]:
        return [] if self._preset == "none" else sorted({self._name("en"), self._preset})

    def _made(self, language: str) -> tuple[rule.Step, ...]:
        changes = [change for change in self._changes if change.language in ("", language)]
        steps = () if self._preset == "none" else find_preset(self._name(language)).steps(language)
        return tuple(_changed(step, changes) for step in (*steps, *self._models))


def check_models(quality: Quality) -> None:
    """Loads every model once, so that one that can't be used stops a build before it begins.

    Raises:
        RecipeError: if one is none, or has other weights than the recipe names.
        SourceMissing: if one does not exist.
        MissingExtra: if what reads it is not installed.
    """
    for line in quality.models:
        load(parse_model(line))


def _limit_names(preset: str) -> set[str]:
    chosen = find_preset(preset)
    return {limit.name for language in chosen.languages for limit in chosen.limits(language)}


def _change(line: str) -> Change:
    found = _limit(line.strip())
    if found is None:
        raise RecipeError(
            f'[quality] limits: {line!r} is no threshold. Write it as "word_count >= 30" or "de: dup_line_frac <= 0.4".'
        )
    side = "low" if found["sign"] == ">=" else "high"
    return Change(found["language"] or "", found["name"], side, float(found["value"]))


def _changed(step: rule.Step, changes: list[Change]) -> rule.Step:
    """A step with other thresholds; a later change goes before an earlier one."""
    if isinstance(step, Edit):
        return msgspec.structs.replace(step, limits=tuple(_with(limit, changes) for limit in step.limits))
    return _with(step, changes)


def _with(limit: T, changes: list[Change]) -> T:
    for change in changes:
        if change.name == limit.name:
            limit = msgspec.structs.replace(limit, **{change.side: change.value})
    return limit


def quality_reason(name: str) -> Reason:
    """The Reason of a rule."""
    return Reason.QUALITY_MODEL if name.startswith(PREFIX) else _REASONS[f"quality_{name}"]


_REASONS = {str(reason): reason for reason in Reason if reason.stage == "quality"}
