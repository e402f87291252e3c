"""Precision and recall of finders of personal data on labelled texts.

A labelled text has what is personal in braces: `Fragen an {email|info@example.org}.` A file of them is TOML, as
`tests/data/personal.toml`: groups with a language and texts.
"""

import re
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from allmende.safety.personal import Finding, Kind

_LABEL = re.compile(r"\{([a-z_0-9]+)\|((?:[^{}]|\{[^{}|]+\})*)\}")

_KINDS = {str(kind): kind for kind in Kind}


class Example(NamedTuple):
    """A text and what is to be found in it."""

    text: str
    findings: tuple[Finding, ...]
    language: str
    held_out: bool
    """True if it was written after the rules, and no rule was changed because of it."""


class Score(NamedTuple):
    """How well one kind is found. A finding is right if kind, begin and end are."""

    right: int = 0
    wrong: int = 0
    """Found, but not labelled so."""
    missed: int = 0

    @property
    def precision(self) -> float:
        """Share of what was found that is right; 1 if nothing was found."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Share of what is there that was found; 1 if nothing is there."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


def read_examples(path: Path) -> list[Example]:
    """The labelled texts of a file.

    Raises:
        KeyError: if a label is of no `Kind`.
    """
    groups = tomllib.loads(path.read_text("utf-8"))["group"]
    return [
        Example(*_parsed(marked), group["language"], group.get("held_out", False))
        for group in groups
        for marked in group["texts"]
    ]


def _parsed(marked: str) -> tuple[str, tuple[Finding, ...]]:
    text, findings, done = "", [], 0
    for label in _LABEL.finditer(marked):
        text += marked[done : label.start()]
        findings.append(Finding(_KINDS[label[1]], len(text), len(text) + len(label[2])))
        text += label[2]
        done = label.end()
    return text + marked[done:], tuple(findings)


def scores(examples: Iterable[Example], find: Callable[[str], Iterable[Finding]]) -> dict[Kind, Score]:
    """The score of each kind."""
    counts = {kind: [0, 0, 0] for kind in Kind}
    for example in examples:
        found, wanted = set(find(example.text)), set(example.findings)
        for finding in found:
            counts[finding.kind][0 if finding in wanted else 1] += 1
        for finding in wanted - found:
            counts[finding.kind][2] += 1
    return {kind: Score(*of) for kind, of in counts.items()}
