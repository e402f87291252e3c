"""Trains a fastText classifier on labelled texts, and tells how good it is on texts it did not see.

Whether a text is for training or for testing is decided by its hash: equal texts are never on both sides, and the same
list always gives the same parts. With one thread the model is the same each time, too.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from allmende.errors import RecipeError
from allmende.filters.classifiers.fasttext import fasttext, open_model, probabilities
from allmende.filters.classifiers.scorer import digest

PREFIX = "__label__"
THRESHOLDS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """fastText's parameters; the defaults are those of DCLM's classifier where it tells them."""

    valid: float = 0.1
    """Share of the texts to test on, 0..0.9."""
    epochs: int = 5
    learning_rate: float = 0.1
    word_ngrams: int = 2
    dimensions: int = 100
    buckets: int = 200_000
    """Of hashed word n-grams. The model has some 4 bytes for each bucket and dimension: 80 MB; fastText's own default is 800 MB."""
    min_count: int = 1
    """Words that come less often are left out."""
    threads: int = 1
    seed: int = 0


class At(msgspec.Struct, frozen=True):
    """A label at a threshold of its probability."""

    threshold: float
    kept: int
    precision: float
    recall: float


class LabelReport(msgspec.Struct, frozen=True):
    """How well a label is told, on the texts for testing."""

    label: str
    texts: int
    precision: float
    """Of the texts that get this label as the likeliest, how many have it."""
    recall: float
    f1: float
    at: list[At]


class Report(msgspec.Struct, frozen=True):
    """What was trained, and how well."""

    model: str
    sha256: str
    train: dict[str, int]
    """Texts by label."""
    valid: dict[str, int]
    skipped: int
    """Rows without text or label."""
    labels: list[LabelReport]
    options: Options
    data: dict[str, str]
    """SHA-256 of each list of labelled texts."""


def train(lists: list[Path], to: Path, options: Options) -> Report:
    """Trains on lists of labelled texts and writes the model, and the report beside it (`.json`).

    Args:
        lists: fastText's format (`.txt`), JSON lines (`.jsonl`) or Parquet, the latter two with `text` and `label`.
        to: A `.bin` file.
        options: See there.

    Raises:
        RecipeError: if a list can't be read, or there are fewer than two labels on either side.
        MissingExtra: if fastText is not installed.
    """
    library = fasttext()
    with TemporaryDirectory(dir=to.parent) as folder:
        train_file, valid_file = Path(folder) / "train.txt", Path(folder) / "valid.txt"
        counts, skipped = _split(lists, train_file, valid_file, options.valid)
        for side, count in counts.items():
            if len(count) < 2:
                raise RecipeError(
                    f"Only {sum(count.values())} texts with {len(count)} label(s) are there for {side}, which takes two "
                    f"labels at least; {skipped} rows have no text or no label."
                )
        model = library.train_supervised(
            input=str(train_file),
            epoch=options.epochs,
            lr=options.learning_rate,
            wordNgrams=options.word_ngrams,
            dim=options.dimensions,
            bucket=options.buckets,
            minCount=options.min_count,
            thread=options.threads,
            seed=options.seed,
            verbose=0,
        )
        aside = Path(folder) / "model.bin"
        model.save_model(str(aside))
        labels = evaluate(str(aside), valid_file.read_text("utf-8").splitlines())
        aside.rename(to)
    report = Report(
        str(to),
        digest(str(to)),
        dict(sorted(counts["training"].items())),
        dict(sorted(counts["testing"].items())),
        skipped,
        labels,
        options,
        {str(path): digest(str(path)) for path in lists},
    )
    to.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2))
    return report


def evaluate(path: str, lines: Iterable[str]) -> list[LabelReport]:
    """How well a model tells the labels of lines in fastText's format."""
    model = open_model(path)
    found = [(label, probabilities(model, text)) for label, _, text in (line.partition(" ") for line in lines)]
    return [_label_report(label, found) for label in sorted({label for label, _ in found})]


def _label_report(label: str, found: list[tuple[str, dict[str, float]]]) -> LabelReport:
    own = sum(true == label for true, _ in found)
    chosen = [true for true, scores in found if scores and max(scores, key=scores.__getitem__) == label]
    right = chosen.count(label)
    precision, recall = right / max(1, len(chosen)), right / max(1, own)
    at = []
    for threshold in THRESHOLDS:
        kept = [true for true, scores in found if scores.get(label, 0.0) >= threshold]
        at.append(At(threshold, len(kept), kept.count(label) / max(1, len(kept)), kept.count(label) / max(1, own)))
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return LabelReport(label, own, precision, recall, f1, at)


def _split(lists: list[Path], train_file: Path, valid_file: Path, share: float) -> tuple[dict[str, Counter[str]], int]:
    counts = {"training": Counter[str](), "testing": Counter[str]()}
    skipped = 0
    with train_file.open("w", encoding="utf-8") as for_training, valid_file.open("w", encoding="utf-8") as for_testing:
        for path in lists:
            for label, text in read_labelled(path):
                line = " ".join(text.split()).encode("utf-8", "replace").decode()
                name = "-".join(label.removeprefix(PREFIX).split())
                if not name or not line:
                    skipped += 1
                    continue
                number = int.from_bytes(hashlib.sha256(line.encode()).digest()[:8], "big") / 2**64
                side, file = ("testing", for_testing) if number < share else ("training", for_training)
                counts[side][PREFIX + name] += 1
                file.write(f"{PREFIX}{name} {line}\n")
    return counts, skipped


def read_labelled(path: Path) -> Iterator[tuple[str, str]]:
    """Label and text of each row of a list; empty strings for what is lacking.

    Raises:
        RecipeError: if the list can't be read.
    """
    try:
        if path.suffix == ".parquet":
            yield from _parquet(path)
        elif path.suffix in {".jsonl", ".json"}:
            with path.open("rb") as file:
                for line in file:
                    row = msgspec.json.decode(line) if line.strip() else {}
                    yield str(row.get("label") or ""), str(row.get("text") or "")
        else:
            with path.open(encoding="utf-8", errors="replace") as lines:
                for plain in lines:
                    label, _, text = plain.partition(" ")
                    yield (label, text) if label.startswith(PREFIX) else ("", text)
    except (OSError, ValueError, AttributeError) as error:
        raise RecipeError(f"{path} can't be read as a list of labelled texts: {error}") from error


def _parquet(path: Path) -> Iterator[tuple[str, str]]:
    import pyarrow.parquet as pq

    with path.open("rb") as file:
        table = pq.ParquetFile(file)
        if lacking := {"label", "text"} - set(table.schema_arrow.names):
            raise ValueError(f"it has no column {' and no column '.join(sorted(lacking))}")
        for batch in table.iter_batches(1_000, columns=["label", "text"]):
            for label, text in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                yield str(label if label is not None else ""), str(text or "")
