"""Perplexity by n-gram language models, as KenLM computes it (Heafield 2011); CCNet sorts pages by it.

KenLM has no wheels: its Python module must be compiled. So models as text (ARPA, which every toolkit writes) are read here,
with plain backoff, and only KenLM's own binary files ask for KenLM. A dictionary takes some 150 bytes an n-gram: good for
models of some million n-grams, such as a pruned one of a domain.

Words are what stands between white space, each line a sentence. A model must be made from text that is written the same way.
"""

import gzip
from collections.abc import Iterator
from typing import Any, TextIO

import msgspec

from allmende.errors import MissingExtra, RecipeError

UNKNOWN = "<unk>"
NEVER = -100.0
"""Log10 of the probability of a word that a model without `<unk>` does not know; KenLM's value."""


class Ngrams(msgspec.Struct, frozen=True):
    """A model with backoff. Its score is the perplexity of a text: the lower, the more it is like what the model saw."""

    order: int
    weights: dict[tuple[str, ...], tuple[float, float]]
    """For each n-gram log10 of its probability, and of its backoff."""

    def score(self, text: str) -> float:
        """Perplexity for each word, sentence ends counted; infinity for a text without words."""
        total, words = 0.0, 0
        for line in text.splitlines():
            sentence = line.split()
            if sentence:
                total += self.log_probability(sentence)
                words += len(sentence) + 1
        return 10 ** min(300.0, -total / words) if words else float("inf")

    def log_probability(self, sentence: list[str]) -> float:
        """Log10 of the probability of a sentence, its end included."""
        history: tuple[str, ...] = ("<s>",)
        total = 0.0
        for word in [*sentence, "</s>"]:
            known = word if (word,) in self.weights else UNKNOWN
            total += self._next(history, known)
            history = (*history, known)[-(self.order - 1) :] if self.order > 1 else ()
        return total

    def _next(self, history: tuple[str, ...], word: str) -> float:
        total = 0.0
        while True:
            found = self.weights.get((*history, word))
            if found:
                return total + found[0]
            if not history:
                return total + NEVER
            total += self.weights.get(history, (0.0, 0.0))[1]
            history = history[1:]


def read_arpa(path: str) -> Ngrams:
    """A model in ARPA's format, plain or with gzip.

    Raises:
        RecipeError: if the file is none.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else open(path, encoding="utf-8") as file:  # noqa: PTH123
            return _parse(file)
    except (OSError, EOFError, ValueError) as error:
        raise RecipeError(f"Model {path} can't be read as ARPA: {error}") from error


def _parse(file: TextIO) -> Ngrams:
    weights: dict[tuple[str, ...], tuple[float, float]] = {}
    order = size = 0
    for line in _lines(file):
        if line.startswith("\\"):
            if line == "\\end\\":
                break
            size = int(line[1:].partition("-grams:")[0]) if line.endswith("-grams:") else 0
            order = max(order, size)
        elif size:
            probability, *rest = line.split()
            weights[tuple(rest[:size])] = float(probability), float(rest[size]) if len(rest) > size else 0.0
    if not weights:
        raise ValueError("it has no n-grams")
    return Ngrams(order, weights)


def _lines(file: TextIO) -> Iterator[str]:
    return (line for line in map(str.strip, file) if line)


class KenLm:
    """A model in KenLM's own format; its score is the perplexity of a text.

    Raises:
        MissingExtra: if KenLM is not installed.
        RecipeError: if the file is no such model.
    """

    def __init__(self, path: str):
        try:
            import kenlm
        except ImportError as error:
            raise MissingExtra(
                f"{path} is KenLM's own format: pip install kenlm (it compiles C++), or write it as .arpa."
            ) from error
        try:
            self._model: Any = kenlm.Model(path)
        except (OSError, RuntimeError) as error:
            raise RecipeError(f"Model {path} can't be read by KenLM: {error}") from error

    def score(self, text: str) -> float:
        """Perplexity for each word, sentence ends counted; infinity for a text without words."""
        lines = [line.split() for line in text.splitlines() if line.strip()]
        words = sum(len(line) + 1 for line in lines)
        total = sum(self._model.score(" ".join(line)) for line in lines)
        return float(10 ** min(300.0, -total / words)) if words else float("inf")
