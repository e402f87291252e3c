"""`allmende recheck`."""

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from allmende.cli import dump, example, number
from allmende.errors import LakeError, RecipeError

if TYPE_CHECKING:
    from allmende.maintain.recheck import Recheck
    from allmende.permission import Policy

LANGUAGES = 30
"""Lines of the table of languages."""


@click.command(
    epilog=example(
        "allmende recheck my-dataset --policy strict",
        "allmende recheck my-dataset --policy eu-commercial --signal ai_txt=allow --json",
        "allmende recheck my-dataset --online --list denied.txt",
        "allmende recheck my-dataset --policy strict --apply --ticket audit-2026-11",
    )
)
@click.argument("dataset")
@click.option("--policy", help="eu-commercial, eu-research, strict; by default that of the dataset's recipe.")
@click.option("--signal", "signals", multiple=True, metavar="NAME=ACTION", help="Change the policy: ai_txt=allow.")
@click.option(
    "--online",
    is_flag=True,
    help="Ask hosts for robots.txt and the like, images for headers, and pages of text, anew.",
)
@click.option("--contact", default="", help="Sent to servers with --online; the recipe's by default.")
@click.option(
    "--list", "path", type=click.Path(path_type=Path), help="Write what is denied to this file, a uid a line."
)
@click.option("--apply", "applied", is_flag=True, help="Take down what is no longer permitted.")
@click.option("--ticket", default="", help="Name of this take-down; only a salted hash of it is stored.")
@click.option("--key", type=click.Path(path_type=Path), help="The take-down log's private key, if not beside it.")
@click.option("--yes", is_flag=True, help="With --apply: don't ask.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(dataset: str, path: Path | None, **flags: Any) -> None:
    """Judges a dataset by another policy, or by what hosts say today, and shows what that costs each language.

    Without --apply nothing is changed. Offline it goes by the signals that are stored with every row; nobody is asked.
    With --online it asks for every URL once, says how many first, and tells what became of the pages of a dataset of text.
    """
    from allmende.maintain.recheck import recheck
    from allmende.maintain.recheck_online import Online

    policy = _policy(flags["policy"], flags["signals"], dataset)
    online = Online(contact=flags["contact"]) if flags["online"] else None
    if online and not flags["as_json"]:
        _tell_cost(dataset)
    with _list(path) as denied:
        report = recheck(dataset, policy, online=online, denied=denied, told=_progress(quiet=flags["as_json"]))
        denied.flush()
        if not flags["as_json"]:
            click.echo(_text(report))
        removal = None
        if flags["applied"] and report.denied:
            if not flags["yes"]:
                click.confirm(f"Take down {number(report.denied, 'sample')} for good?", abort=True, err=True)
            removal = _apply(dataset, Path(denied.name), flags["ticket"] or f"recheck {report.policy}", flags["key"])
    if flags["as_json"]:
        dump({"recheck": report, "takedown": removal})
    elif removal is not None:
        click.echo(f"Gone: {number(removal.samples, 'sample')}. The release is now {removal.version}.")
        click.echo(f"For those who have a copy: {removal.dataset}/{removal.patch}")


def _tell_cost(dataset: str) -> None:
    from allmende.dataset import Dataset
    from allmende.maintain.recheck import sample_count

    count = sample_count(Dataset(dataset))
    click.echo(
        f"Asking for up to {count:,} URLs, and their hosts for robots.txt and its kin, as politely as a build.",
        err=True,
    )


def _policy(preset: str | None, signals: tuple[str, ...], dataset: str) -> "Policy | None":
    """The policy that is asked for; None for the dataset's own."""
    from allmende.dataset import Dataset
    from allmende.permission import policy

    if preset is None and not signals:
        return None
    changes: dict[str, Any] = {}
    for change in signals:
        name, _, action = change.partition("=")
        if action not in ("deny", "allow", "ignore"):
            raise RecipeError(f"--signal {change}: write NAME=deny, NAME=allow or NAME=ignore.")
        changes[name] = action
    if preset is None:
        preset = Dataset(dataset).recipe.permission.policy
    return policy.policy(preset, changes)


@contextlib.contextmanager
def _list(path: Path | None) -> Iterator[TextIO]:
    """Where uids go: the file that is asked for, or one that is gone afterwards."""
    try:
        file = path.open("w") if path else tempfile.NamedTemporaryFile("w", suffix=".txt")  # noqa: SIM115 - closed below
    except OSError as error:
        raise LakeError(f"{path} can't be written: {error.strerror}") from error
    with file:
        yield file  # type: ignore[misc]  # a temporary file is a text file, too


def _apply(dataset: str, denied: Path, ticket: str, key: Path | None) -> Any:
    from allmende.maintain.takedown import take_down
    from allmende.maintain.targets import read_list

    return take_down(dataset, read_list(denied), reason="opt-out", ticket=ticket, key=key)


def _progress(*, quiet: bool) -> Any:
    def told(text: str) -> None:
        if not quiet and sys.stderr.isatty():
            click.echo(f"\r{text}", err=True, nl=False)

    return told


def _text(report: "Recheck") -> str:
    """The cost, language by language and signal by signal."""
    judged = ", ".join(f"{label} ({count:,})" for label, count in sorted(report.policies.items()))
    how = "by what hosts say today" if report.online else "by the signals that are stored"
    lines = [f"{report.dataset}: judged by {judged or 'nobody'}; now by {report.policy}, {how}", ""]
    rows = sorted(report.languages.items(), key=lambda item: (-item[1].before, item[0]))
    lines.append(f"  {'language':<12}{'before':>12}{'denied':>12}{'after':>12}{'lost':>9}{'would return':>15}")
    shown = [(name, cost.before, cost.denied, cost.allowed_again) for name, cost in rows[:LANGUAGES]]
    for name, before, denied, again in [*shown, ("all", report.before, report.denied, report.allowed_again)]:
        share = f"{denied / before:.1%}" if before else "-"
        lines.append(f"  {name:<12}{before:>12,}{denied:>12,}{before - denied:>12,}{share:>9}{again:>15,}")
    if len(rows) > LANGUAGES:
        lines.insert(-1, f"  and {len(rows) - LANGUAGES:,} more languages; --json has all")
    for title, counts in (("denied by", report.signals), ("would return from", report.returning)):
        lines += [f"  {title} {name}: {count:,}" for name, count in sorted(counts.items(), key=lambda i: (-i[1], i[0]))]
    lines += [f"  no answer, judged by what is stored: {why} {count:,}" for why, count in report.unanswered.items()]
    if report.fates:
        lines.append(f"  the pages today: {', '.join(f'{count:,} {fate}' for fate, count in report.fates.items())}")
    lines += [f"  not stored, judged by a new build only: {name} {count:,}" for name, count in report.not_kept.items()]
    if report.unread:
        lines.append(f"\nNever read for this dataset, so that nobody knows: {', '.join(report.unread)}.")
        lines.append("Ask with --online.")
    return "\n".join(lines)
