"""A model as a rule of quality: its line in a recipe, its weights pinned by their digest, its score a signal."""

import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import msgspec

from allmende.errors import RecipeError, SourceMissing
from allmende.filters.quality.rule import Rule

PREFIX = "model:"
"""Before the names of models, among the stored values of a document."""

_line = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9_-]*)\s*=\s*(?P<path>.+?)(?:\s+sha256:(?P<sha256>[0-9a-f]{64}))?"
    r"(?:\s+label:(?P<label>\S+))?(?:\s+(?P<sign>>=|<=)\s*(?P<value>-?\d+(?:\.\d+)?(?:e-?\d+)?))?"
).fullmatch


class Scorer(Protocol):
    """A model that was loaded.

    It must give the same number for the same text, whatever came before, and never raise because of a text.
    """

    def score(self, text: str) -> float:
        """The score of a document's text; which numbers are good is the model's affair."""
        ...


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A model in a recipe: `good = models/good.bin sha256:… label:__label__hq >= 0.5`."""

    name: str
    path: str
    sha256: str
    """Of the file."""
    label: str = ""
    """Of a classifier: whose probability is the score."""
    low: float = float("-inf")
    high: float = float("inf")

    @property
    def rule(self) -> Rule:
        """The model as a step of a preset. The file is read when the first document comes."""
        return Rule(
            name=PREFIX + self.name, measure=lambda text: load(self).score(text.text), low=self.low, high=self.high
        )


def parse_model(line: str) -> Model:
    """The model that a line of a recipe names.

    Raises:
        RecipeError: if it is not such a line, or lacks the digest. Then the message has the digest, to be pasted.
        SourceMissing: if the digest is lacking and there is no such file.
    """
    found = _line(line.strip())
    if found is None:
        raise RecipeError(
            f"[quality] models: {line!r} is no model. Write it as "
            '"good = models/good.bin sha256:DIGEST label:__label__hq >= 0.5".'
        )
    if not found["sha256"]:
        raise RecipeError(
            f"[quality] models: {line!r} does not say which weights. This file has sha256:{digest(found['path'])}"
        )
    value = float(found["value"]) if found["value"] else None
    limit = {} if value is None else {"low" if found["sign"] == ">=" else "high": value}
    return Model(name=found["name"], path=found["path"], sha256=found["sha256"], label=found["label"] or "", **limit)


def digest(path: str) -> str:
    """SHA-256 of a file, in hex.

    Raises:
        SourceMissing: if it can't be read.
    """
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceMissing(f"Model {path} can't be read: {error.strerror}.") from error


@lru_cache(maxsize=8)
def load(model: Model) -> Scorer:
    """The scorer of a model, loaded once in a process.

    Raises:
        SourceMissing: if its file can't be read.
        RecipeError: if the file has another digest, is no model, or has no such label.
        MissingExtra: if what reads it is not installed.
    """
    found = digest(model.path)
    if found != model.sha256:
        raise RecipeError(f"Model {model.path} has other weights than the recipe names: its digest is sha256:{found}")
    if model.path.endswith((".arpa", ".arpa.gz")):
        from allmende.filters.classifiers.ngrams import read_arpa

        return read_arpa(model.path)
    if model.path.endswith((".binary", ".klm")):
        from allmende.filters.classifiers.ngrams import KenLm

        return KenLm(model.path)
    if model.path.endswith((".bin", ".ftz")):
        from allmende.filters.classifiers.fasttext import FastText

        return FastText(model.path, model.label)
    raise RecipeError(
        f"Model {model.path}: known are .bin and .ftz (fastText), .arpa, .arpa.gz, .binary and .klm (KenLM)."
    )
