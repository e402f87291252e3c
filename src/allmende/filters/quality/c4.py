"""C4's rules (Raffel et al. 2020, section 2.2): bad lines go, then pages that are left with too little.

Several sets of parameters are in use under this name. The reference here is datatrove's `C4QualityFilter`; the ones of
the original (tensorflow_datasets, `c4_utils.py`) are another `Options`.
"""

import re
from functools import partial

import msgspec

from allmende.filters.quality.rule import Edit, Edited, Limit
from allmende.filters.quality.text import Text
from allmende.filters.quality.words import cut

_citation = re.compile(r"\[\d*]|\[edit]|\[citation needed]")

POLICIES = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
"""A line with one of these goes."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What is done, and from which number on."""

    min_sentences: int = 5
    """Pages with fewer sentences go (original: 3)."""
    min_words: int = 3
    """Lines with fewer words go (original: 5)."""
    max_word_chars: int = 1_000
    """Lines with a longer word go."""
    ends: tuple[str, ...] = (".", "?", "!", '"', "'")
    """Lines that end otherwise go; empty: none does."""


DATATROVE = Options()
FINEWEB = Options(ends=())
"""As FineWeb uses it: lines without a mark at their end stay."""
ORIGINAL = Options(min_sentences=3, min_words=5, ends=(".", "?", "!", '"'))
"""tensorflow_datasets, which built C4. It counts sentences with NLTK's Punkt."""


def c4(options: Options) -> Edit:
    """The rules as a step of a preset."""
    return Edit(
        name="c4",
        change=partial(clean, options=options),
        limits=(
            Limit(name="lorem_ipsum", high=0),
            Limit(name="curly_bracket", high=0),
            Limit(name="sentence_count", low=options.min_sentences),
        ),
    )


def clean(text: Text, options: Options = DATATROVE) -> Edited:
    """Takes lines out; counts sentences in those that stay, and lines for which the page should go."""
    kept: list[str] = []
    lorem = curly = sentences = 0
    for raw in text.any_lines:
        line = raw.strip()
        parts = line.split()
        if len(parts) < options.min_words or len(line) > options.max_word_chars < max(map(len, parts)):
            continue
        if "[" in line:
            line = _citation.sub("", line)
        if options.ends and (not line.endswith(options.ends) or line.endswith("...")):
            continue
        lower = line.lower()
        lorem += "lorem ipsum" in lower
        if "javascript" in lower:
            continue
        curly += "{" in line
        if any(policy in lower for policy in POLICIES):
            continue
        sentences += cut(line, text.language).sentences()
        kept.append(line)
    counts = {"lorem_ipsum": lorem, "curly_bracket": curly, "sentence_count": sentences}
    return Edited("\n".join(kept).strip(), {name: float(count) for name, count in counts.items()})
