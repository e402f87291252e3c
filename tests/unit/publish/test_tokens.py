"""Tokens, counted by a tokenizer that is trained here."""

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

from allmende.errors import RecipeError
from allmende.publish import tokens
from allmende.publish.tokens import TokenCounter

WORDS = "ein rotes Fahrrad lehnt am alten Hafen und wartet"


@pytest.fixture
def tokenizer(tmp_path):
    """Every word is a token; begins and ends what it encodes, and cuts it after four."""
    made = Tokenizer(models.WordLevel(unk_token="?"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.train_from_iterator([WORDS], trainers.WordLevelTrainer(special_tokens=["?", "<s>", "</s>"]))
    made.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    made.enable_truncation(4)
    made.enable_padding(length=8)
    made.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_tokens_are_those_of_the_whole_text_and_of_nothing_else(tokenizer):
    counts = TokenCounter(str(tokenizer / "tokenizer.json")).count([WORDS, "", "Hafen, unbekannt"])
    assert counts == [9, 0, 3]
    assert TokenCounter(str(tokenizer)).count([]) == []


def test_long_texts_are_counted_a_few_at_a_time(tokenizer, monkeypatch):
    monkeypatch.setattr(tokens, "CHARACTERS", 100)
    assert TokenCounter(str(tokenizer)).count([WORDS * 3, WORDS, WORDS] * 4) == [25, 9, 9] * 4


def test_a_file_that_is_none_is_told(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(RecipeError, match="nor a name that the Hugging Face Hub gives one for"):
        TokenCounter(str(tmp_path))
