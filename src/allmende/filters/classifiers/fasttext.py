"""fastText's supervised models: `.bin`, and `.ftz` that are quantized."""

from typing import Any

from allmende.errors import MissingExtra, RecipeError


class FastText:
    """A classifier; its score is the probability of a label, 0..1.

    Args:
        path: A `.bin` or `.ftz` file.
        label: As in the model, with or without `__label__`.

    Raises:
        RecipeError: if the file is no such model, or has no such label.
        MissingExtra: if fastText is not installed.
    """

    def __init__(self, path: str, label: str):
        self._model = open_model(path)
        labels = self._model.get_labels()
        self._label = next(
            (known for known in labels if known.removeprefix("__label__") == label.removeprefix("__label__")), ""
        )
        if not self._label:
            raise RecipeError(f"Model {path} has no label {label!r}. It has: {', '.join(labels[:20])}.")

    def score(self, text: str) -> float:
        """Probability of the label; 0 for a text without words."""
        return self.probabilities(text).get(self._label, 0.0)

    def probabilities(self, text: str) -> dict[str, float]:
        """Of all labels."""
        return probabilities(self._model, text)


def fasttext() -> Any:
    """The library.

    Raises:
        MissingExtra: if it is not installed.
    """
    try:
        import fasttext as library
    except ImportError as error:
        raise MissingExtra("fastText models need: pip install 'allmende[classifier]'.") from error
    return library


def open_model(path: str) -> Any:
    """A model, opened.

    Raises:
        RecipeError: if the file is no fastText model.
        MissingExtra: if fastText is not installed.
    """
    library = fasttext()
    try:
        return library.load_model(path)
    except ValueError as error:
        raise RecipeError(f"Model {path} is no fastText model: {error}") from error


def probabilities(model: Any, text: str) -> dict[str, float]:
    """Of all labels of a model. A document is one line for fastText; half characters become question marks."""
    line = " ".join(text.split()).encode("utf-8", "replace").decode() + "\n"
    return {label: min(1.0, max(0.0, float(p))) for p, label in model.f.predict(line, -1, 0.0, "strict")}
