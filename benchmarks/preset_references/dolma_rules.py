"""dolma's measures of Gopher's rules: run by its own Python with a file of texts, prints them as JSON."""

import json
import sys
from pathlib import Path

from dolma.taggers.gopher import get_attributes

NAMES = {
    "word_count": "word_count",
    "median_word_length": "median_word_length",
    "symbol_to_word_ratio": "symbol_ratio",
    "fraction_of_words_with_alpha_character": "letter_word_frac",
    "required_word_count": "stop_word_count",
    "fraction_of_lines_starting_with_bullet_point": "bullet_line_frac",
    "fraction_of_lines_ending_with_ellipsis": "ellipsis_line_frac",
    "fraction_of_duplicate_lines": "dup_line_frac",
    "fraction_of_characters_in_duplicate_lines": "dup_line_char_frac",
}


def main():
    """Measures on standard output."""
    texts = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    answers = []
    for text in texts:
        found = get_attributes(text)
        values = {ours: getattr(found, theirs) for theirs, ours in NAMES.items()}
        values |= {f"top_{n}_gram": value for n, value in found.fraction_of_characters_in_most_common_ngram}
        values |= {f"dup_{n}_gram": value for n, value in found.fraction_of_characters_in_duplicate_ngrams}
        answers.append(values)
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
