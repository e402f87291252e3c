"""DCLM's decisions, rule by rule: run with a checkout of mlfoundations/dclm and a file of texts, prints answers as JSON.

Its packages are entered without their `__init__`, which would load taggers, models and cloud clients that no rule here needs.
"""

import json
import os
import sys
import types
from pathlib import Path

PACKAGES = (
    "baselines",
    "baselines.mappers",
    "baselines.mappers.filters",
    "baselines.mappers.enrichers",
    "baselines.core",
)


def enter(root):
    """Makes the functions of a checkout importable."""
    sys.path[:0] = [str(root), str(root / "baselines")]
    os.chdir(root)  # it opens its lists by relative paths
    for name in (*PACKAGES, "core"):
        package = types.ModuleType(name)
        package.__path__ = [str(root / ("baselines/core" if name == "core" else name.replace(".", "/")))]
        sys.modules[name] = package
    unused = types.ModuleType("transformers")
    unused.AutoTokenizer = None
    sys.modules["transformers"] = unused


def main():
    """Answers on standard output."""
    enter(Path(sys.argv[1]).resolve())
    from baselines.mappers import modifiers as edit
    from baselines.mappers.enrichers.enrichers import word_counter_enricher
    from baselines.mappers.filters import content_filters as rule

    addresses = [edit.url_removal_modifier(), edit.newline_removal_modifier(max_consecutive=2)]
    rules = {
        "word_count": lambda page: rule.page_length_filter(page, "word", 50, 100_000, ignore_punctuation=True),
        "mean_word_length": lambda page: rule.word_length_filter(page, 3, 10),
        "symbol_ratio": lambda page: rule.symbol_ratio_filter(page, 0.1),
        "bullet_line_frac": lambda page: rule.bullet_count_filter(page, 0.9),
        "ellipsis_line_frac": lambda page: rule.ellipsis_count_filter(page, 0.3),
        "letter_word_frac": lambda page: rule.alphabetic_word_ratio_filter(page, 0.2),
        "stop_word_count": lambda page: rule.stop_word_filter(page, False, 2),
    }
    limits = {"dup_line_frac": ("line", 0.3, False), "dup_para_frac": ("paragraph", 0.3, False)}
    limits |= {"dup_line_char_frac": ("line", 0.2, True), "dup_para_char_frac": ("paragraph", 0.2, True)}
    limits |= {f"top_{n}_gram": (n, at, True) for n, at in ((2, 0.2), (3, 0.18), (4, 0.16))}
    limits |= {
        f"dup_{n}_gram": (n, at, True) for n, at in zip(range(5, 11), (0.15, 0.14, 0.13, 0.12, 0.11, 0.10), strict=True)
    }
    noise = [
        lambda page: edit.uppercase_ratio_line_modifier(page, 0.5),
        lambda page: edit.numeric_ratio_line_modifier(page, 0.999999),
        edit.counter_line_modifier(),
        lambda page: edit.line_length_modifier(page, 2),
        edit.substring_line_modifier("items in cart", max_length=10, remove_substring_only=True),
        edit.substring_line_modifier("Read more...", max_length=10, location="suffix", remove_substring_only=True),
        edit.substring_line_modifier("Sign-in", max_length=10, location="prefix", remove_substring_only=True),
    ]
    texts = json.loads(Path(sys.argv[2]).read_text("utf-8"))
    answers = []
    for text in texts:
        page = {"text": text}
        if not all(step(page) for step in addresses):
            answers.append({"rules": {}, "text": ""})
            continue
        found = {name: not of(page) for name, of in rules.items()}
        cache = {}
        for name, (granularity, at, chars) in limits.items():
            found[name] = not rule.repetition_filter(page, granularity, at, count_characters=chars, cache=cache)
        word_counter_enricher(page, "before")
        left = all(step(page) for step in noise)
        found["removed_word_frac"] = not (
            left and rule.word_removal_ratio_filter(page, "before", max_removed_ratio=0.05)
        )
        answers.append({"rules": found, "text": page["text"] if left else ""})
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
