"""`allmende tune`."""

import re
from typing import TYPE_CHECKING

import click

from allmende.cli import dump, example

if TYPE_CHECKING:
    from allmende.filters.quality.tuning import LanguageCount


@click.command(
    epilog=example(
        "allmende tune my-text",
        "allmende tune my-text --language de --rule dup_line_frac --at 0.2,0.3,0.4",
        'allmende tune my-text --limit "de: dup_line_frac <= 0.4" --limit "word_count >= 30" --json',
    )
)
@click.argument("dataset")
@click.option("--preset", help="Judge by this preset instead of the recipe's.")
@click.option(
    "--limit", "limits", multiple=True, help="Change a threshold, as `quality.limits` in a recipe; repeatable."
)
@click.option("--rule", default="", help="Vary the threshold of this rule.")
@click.option("--at", default="", help="Values for --rule, with commas between.")
@click.option("--language", "languages", multiple=True, help="Show only this language; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print numbers as JSON.")
def command(
    dataset: str,
    preset: str | None,
    limits: tuple[str, ...],
    rule: str,
    at: str,
    languages: tuple[str, ...],
    as_json: bool,
) -> None:
    """Shows what quality thresholds keep, by language and rule.

    It counts with the values that a build stores if the recipe says `quality.signals = true`; no page is read again.
    Set what you like as `quality.limits` in the recipe: the next build only makes what comes after.
    """
    import msgspec

    from allmende.api import tune

    values = _values(rule, at)
    found = tune(dataset, preset or "", limits=limits, rule=rule, at=values)
    if strange := sorted(set(languages) - {one.language for one in found}):
        there = ", ".join(one.language for one in found)
        raise click.UsageError(f"No documents in {', '.join(strange)}. There are: {there}.")
    found = [one for one in found if not languages or one.language in languages]
    if rule and not any(one.at for one in found):
        raise click.UsageError(f"No rule {rule!r} here. There are: {', '.join(_rules(found))}.")
    if as_json:
        dump({"dataset": dataset, "languages": [msgspec.to_builtins(one) for one in found]})
    elif rule:
        _print_at(found, rule)
    else:
        _print(found)


def _values(rule: str, at: str) -> list[float]:
    if bool(rule) != bool(at):
        raise click.UsageError("--rule and --at go together: --rule word_count --at 30,50,100")
    try:
        return [float(value) for value in re.split(r"[,\s]+", at.strip()) if value]
    except ValueError as error:
        raise click.UsageError(f"--at wants numbers with commas between, not {at!r}.") from error


def _rules(found: "list[LanguageCount]") -> list[str]:
    return list(dict.fromkeys(rule.rule for one in found for rule in one.rules))


def _print(found: "list[LanguageCount]") -> None:
    """For people: a table a language, a line a rule."""
    for one in found:
        click.secho(
            f"{one.language}: {one.kept:,} of {one.documents:,} documents stay ({_share(one.kept, one.documents)}), "
            f"{_share(one.kept_chars, one.chars)} of their characters",
            bold=True,
        )
        if not one.rules:
            click.echo(
                "  no rules; see --preset\n" if one.kept else "  the preset has no thresholds for this language\n"
            )
            continue
        click.echo(
            f"  {'rule':<20} {'keeps':>16} {'breaks':>8} {'first':>8} {'alone':>8} {'5 %':>9} {'half':>9} {'95 %':>9}"
        )
        for rule in one.rules:
            shares = " ".join(f"{_share(part, one.documents):>8}" for part in (rule.breaks, rule.first, rule.alone))
            percentiles = " ".join(f"{_short(rule.percentiles.get(name)):>9}" for name in ("p5", "p50", "p95"))
            click.echo(f"  {rule.rule:<20} {_range(rule.low, rule.high):>16} {shares} {percentiles}")
        click.echo()
    if found:
        click.echo(
            "breaks: outside of the thresholds; first: dropped by no earlier rule; alone: by no other rule at all."
        )


def _print_at(found: "list[LanguageCount]", rule: str) -> None:
    """For people: what each value would keep."""
    click.echo(
        f"{'language':<9} {rule:>20} {'kept by it':>11} {'by all rules':>13} {'documents':>12} {'characters':>15}"
    )
    for one in found:
        for at in one.at:
            shares = f"{_share(at.by_rule, one.documents):>11} {_share(at.by_all, one.documents):>13}"
            click.echo(f"{one.language:<9} {_short(at.value):>20} {shares} {at.by_all:>12,} {at.chars:>15,}")


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _short(value: float | None) -> str:
    """Four digits: nine characters at most."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def _range(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"{_short(low)} .. {_short(high)}"
    if low is None and high is None:
        return "all"
    return f">= {_short(low)}" if low is not None else f"<= {_short(high)}"
