"""How many tokens a text has, by any tokenizer that the package `tokenizers` can load."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from allmende.errors import RecipeError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CHARACTERS = 1_000_000
"""Characters that are encoded together: an encoding takes some hundred bytes for each token while it lives."""


class TokenCounter:
    """Counts tokens, without those that mark beginning and end.

    Args:
        name: Path of a `tokenizer.json` or of a folder that has one, or a name on the Hugging Face Hub, which is asked.

    Raises:
        RecipeError: if there is no such tokenizer, or the package is missing.
    """

    def __init__(self, name: str):
        self._tokenizer = _load(name)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text."""
        counts: list[int] = []
        held: list[str] = []
        room = CHARACTERS
        for text in texts:
            held.append(text)
            room -= len(text)
            if room <= 0:
                counts += self._encode(held)
                held, room = [], CHARACTERS
        return counts + self._encode(held)

    def _encode(self, texts: list[str]) -> list[int]:
        return [len(found) for found in self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)]


def _load(name: str) -> "Tokenizer":
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise RecipeError(
            "publish.tokenizer needs the package tokenizers. Install it: pip install 'allmende[tokenizer]'"
        ) from error
    path = Path(name)
    try:
        if path.is_dir():
            path /= "tokenizer.json"
        if path.is_file():
            return Tokenizer.from_file(str(path))
        return Tokenizer.from_pretrained(name)
    except Exception as error:
        raise RecipeError(
            f"publish.tokenizer = {name!r}: neither a tokenizer.json here nor a name that the Hugging Face Hub gives one for: {error}"
        ) from error
