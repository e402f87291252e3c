"""`allmende classifier`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from allmende.cli import dump, example

if TYPE_CHECKING:
    from allmende.filters.classifiers.training import Report


@click.group(epilog=example("allmende classifier train good.jsonl bad.jsonl --to good.bin"))
def command() -> None:
    """Trains a model that scores documents, for `quality.models` in a recipe."""


@command.command(
    epilog=example(
        "allmende classifier train labelled.jsonl --to good.bin",
        "allmende classifier train good.txt bad.txt --to good.bin --epochs 10 --json",
    )
)
@click.argument("labelled", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--to", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where the model goes: a .bin file."
)
@click.option(
    "--valid", default=0.1, show_default=True, type=click.FloatRange(0.01, 0.9), help="Share of the texts to test on."
)
@click.option("--epochs", default=5, show_default=True, type=click.IntRange(1), help="How often each text is seen.")
@click.option(
    "--learning-rate", default=0.1, show_default=True, type=click.FloatRange(0, 1, min_open=True), help="fastText's."
)
@click.option(
    "--word-ngrams", default=2, show_default=True, type=click.IntRange(1, 10), help="Longest run of words that counts."
)
@click.option(
    "--threads",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    help="More are faster, but never give the same model twice.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def train(
    labelled: tuple[Path, ...],
    to: Path,
    valid: float,
    epochs: int,
    learning_rate: float,
    word_ngrams: int,
    threads: int,
    as_json: bool,
) -> None:
    """Trains a fastText classifier on LABELLED texts, and tells how good it is on those it did not see.

    LABELLED are files with a text and its label a row: JSON lines or Parquet with columns text and label, or
    fastText's own format (__label__good and the text, a line each). Needs: pip install 'allmende[classifier]'.
    """
    from allmende.filters.classifiers.training import Options
    from allmende.filters.classifiers.training import train as run

    if to.suffix != ".bin":
        raise click.UsageError(f"--to wants a .bin file, not {to}.")
    if not os.access(to.parent, os.W_OK):
        raise click.UsageError(f"--to {to}: its folder is not there, or can't be written to.")
    options = Options(valid=valid, epochs=epochs, learning_rate=learning_rate, word_ngrams=word_ngrams, threads=threads)
    report = run(list(labelled), to, options)
    if as_json:
        dump(report)
    else:
        _print(report)


def _print(report: "Report") -> None:
    """For people: precision and recall of each label, then by threshold, then the line for a recipe."""
    click.echo(f"trained on {sum(report.train.values()):,} texts, tested on {sum(report.valid.values()):,}")
    click.echo(f"{'label':<24} {'texts':>8} {'precision':>10} {'recall':>8} {'F1':>8}")
    for one in report.labels:
        click.echo(f"{one.label:<24} {one.texts:>8,} {one.precision:>10.3f} {one.recall:>8.3f} {one.f1:>8.3f}")
    for one in report.labels:
        click.echo(f"\n{one.label} where its probability is at least")
        for at in one.at:
            click.echo(
                f"{at.threshold:>8} {at.kept:>8,} texts {at.precision:>10.3f} precision {at.recall:>8.3f} recall"
            )
    label = report.labels[0].label
    click.echo("\nIn a recipe, with the label and the threshold that you choose:\n\n[quality]")
    click.echo(f'models = ["{Path(report.model).stem} = {report.model} sha256:{report.sha256} label:{label} >= 0.5"]')
