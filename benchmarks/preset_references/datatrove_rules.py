"""datatrove's decisions, rule by rule: run by its own Python with a file of questions, prints answers as JSON.

A question is a document, its language as datatrove writes it, and the limits of its preset. Each rule is asked alone: datatrove's
filter with all other rules switched off. Words are remembered for a document, else each filter would cut them anew.
"""

import json
import sys
import time
import warnings
from functools import cache, partial
from pathlib import Path

from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
    c4_filters,
)
from datatrove.utils.word_tokenizers import load_word_tokenizer

NO_REPETITION = {"dup_line_frac": None, "dup_para_frac": None, "dup_line_char_frac": None, "dup_para_char_frac": None}
NO_QUALITY = dict.fromkeys(
    ("min_doc_words", "max_doc_words", "min_avg_word_length", "max_avg_word_length", "max_symbol_word_ratio",
     "max_bullet_lines_ratio", "max_ellipsis_lines_ratio", "max_non_alpha_words_ratio", "min_stop_words")
)  # fmt: skip
NO_LINES = {"line_punct_thr": -1, "short_line_thr": 9e9, "char_duplicates_ratio": 9e9, "new_line_ratio": 9e9}


def filter_of(rule, limits, language, stop_words):
    """datatrove's filter with only this rule."""
    low, high = limits[rule]
    repetition = partial(GopherRepetitionFilter, language=language)
    quality = partial(GopherQualityFilter, language=language)
    lines = partial(FineWebQualityFilter, language=language)
    if rule in NO_REPETITION:
        return repetition(**{**NO_REPETITION, rule: high}, top_n_grams=(), dup_n_grams=())
    if rule.endswith("_gram"):
        kind, n, _ = rule.split("_")
        grams = {"top_n_grams": (), "dup_n_grams": (), f"{kind}_n_grams": ((int(n), high),)}
        return repetition(**NO_REPETITION, **grams)
    own = {
        "word_count": (quality, NO_QUALITY, {"min_doc_words": low, "max_doc_words": high}),
        "mean_word_length": (quality, NO_QUALITY, {"min_avg_word_length": low, "max_avg_word_length": high}),
        "hash_ratio": (quality, NO_QUALITY, {"max_symbol_word_ratio": high}),
        "ellipsis_ratio": (quality, NO_QUALITY, {"max_symbol_word_ratio": high}),
        "bullet_line_frac": (quality, NO_QUALITY, {"max_bullet_lines_ratio": high}),
        "ellipsis_line_frac": (quality, NO_QUALITY, {"max_ellipsis_lines_ratio": high}),
        "letter_word_frac": (quality, NO_QUALITY, {"max_non_alpha_words_ratio": low}),
        "stop_word_count": (quality, NO_QUALITY, {"min_stop_words": low, "stop_words": stop_words}),
        "line_punct_ratio": (lines, NO_LINES, {"line_punct_thr": low}),
        "short_line_ratio": (lines, NO_LINES, {"short_line_thr": high}),
        "char_dup_ratio": (lines, NO_LINES, {"char_duplicates_ratio": high}),
        "list_ratio": (lines, NO_LINES, {"new_line_ratio": high}),
    }
    make, off, on = own[rule]
    return make(**{**off, **on})


def drops(made, rule, document):
    """True if the rule drops the document; None where datatrove cannot ask this rule alone."""
    answer = made.filter(Document(text=document, id=""))
    reason = answer[1] if isinstance(answer, tuple) else ""
    if rule == "ellipsis_ratio" and reason == "gopher_too_many_hashes":
        return None
    return reason == "gopher_too_many_hashes" if rule == "hash_ratio" else bool(reason)


C4_OFF = {"filter_lorem_ipsum": False, "filter_curly_bracket": False, "min_num_sentences": -1}
C4_ON = {"lorem_ipsum": "filter_lorem_ipsum", "curly_bracket": "filter_curly_bracket"}


def c4(limits, options, document):
    """Decisions of C4's rules, each alone, and the text that is left."""
    base = {**C4_OFF, "filter_no_terminal_punct": bool(options["ends"]), "min_words_per_line": options["min_words"]}
    found = {}
    for rule, option in C4_ON.items():
        found[rule] = C4QualityFilter(**{**base, option: True}).filter(Document(text=document, id="")) is not True
    counted = C4QualityFilter(**{**base, "min_num_sentences": limits["sentence_count"][0]})
    found["sentence_count"] = counted.filter(Document(text=document, id="")) is not True
    left = Document(text=document, id="")
    C4QualityFilter(**base).filter(left)
    return found, left.text


@cache
def remembering(language):
    """Makes the tokenizer of a language remember the words of the last text."""
    tokenizer = load_word_tokenizer(language)
    plain, last = tokenizer.word_tokenize, {}

    def words(text):
        if text not in last:
            last.clear()
            last[text] = plain(text)
        return last[text]

    tokenizer.word_tokenize = words


def decide(question):
    """All rules on one document."""
    language, text, limits = question["language"], question["text"], question["limits"]
    remembering(language)
    answer = {}
    for rule in question["first"]:
        answer[rule] = drops(filter_of(rule, limits, language, question["stop_words"]), rule, text)
    if question["c4"]:
        c4_filters.END_PUNCTUATION = tuple(question["c4"]["ends"])
        found, text = c4(limits, question["c4"], text)
        answer |= found
    if text.strip():
        for rule in question["then"]:
            answer[rule] = drops(filter_of(rule, limits, language, question["stop_words"]), rule, text)
    return {"rules": answer, "text": text}


def whole(question):
    """The filters as a pipeline runs them, up to the first that drops: made once for a language."""
    limits, language = question["limits"], question["language"]
    high = {name: limits[name][1] if name in limits else None for name in limits.keys() | NO_REPETITION.keys()}
    made = [
        GopherRepetitionFilter(
            **{name: high[name] for name in NO_REPETITION},
            top_n_grams=[(n, high[f"top_{n}_gram"]) for n in (2, 3, 4)],
            dup_n_grams=[(n, high[f"dup_{n}_gram"]) for n in range(5, 11)],
            language=language,
        )
    ]
    lengths = limits["mean_word_length"]
    quality = GopherQualityFilter(
        min_avg_word_length=lengths[0], max_avg_word_length=lengths[1], stop_words=question["stop_words"],
        max_non_alpha_words_ratio=limits["letter_word_frac"][0], language=language,
    )  # fmt: skip
    lines = FineWebQualityFilter(
        line_punct_thr=limits["line_punct_ratio"][0], short_line_thr=high["short_line_ratio"],
        char_duplicates_ratio=high["char_dup_ratio"], new_line_ratio=high["list_ratio"], language=language,
    )  # fmt: skip
    if question["c4"]:
        return [*made, quality, C4QualityFilter(filter_no_terminal_punct=False), lines]
    return [*made, lines, quality]


def speed(questions):
    """CPU seconds for all documents, warm, and which stay."""
    pipelines = {}
    for question in questions:
        if question["language"] not in pipelines:
            pipelines[question["language"]] = whole(question)

    def run():
        kept = []
        for question in questions:
            document = Document(text=question["text"], id="")
            kept.append(all(made.filter(document) is True for made in pipelines[question["language"]]))
        return kept

    run()
    seconds = []
    for _ in range(3):
        began = time.process_time()
        kept = run()
        seconds.append(time.process_time() - began)
    return {"seconds": min(seconds), "kept": kept}


def main():
    """Answers on standard output."""
    warnings.simplefilter("ignore")
    questions = json.loads(Path(sys.argv[2]).read_text("utf-8"))
    json.dump(speed(questions) if sys.argv[1] == "speed" else [decide(question) for question in questions], sys.stdout)


if __name__ == "__main__":
    main()
