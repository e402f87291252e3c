"""`allmende takedown`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from allmende.cli import dump, example, number
from allmende.errors import RecipeError

if TYPE_CHECKING:
    from allmende.maintain.takedown import Removal
    from allmende.maintain.targets import Targets


@click.command(
    epilog=example(
        "allmende takedown my-dataset --url https://a.example/1.jpg --reason privacy --ticket T-17",
        "allmende takedown my-dataset --domain a.example --reason opt-out --ticket T-18 --dry-run",
        "allmende takedown my-dataset --file list.txt --reason illegal --ticket T-19 --yes",
        "allmende takedown my-dataset --continue",
        "allmende takedown /shared/tombstones --new-log",
    )
)
@click.argument("dataset")
@click.option("--url", "urls", multiple=True, help="URL of the image or page.")
@click.option("--domain", "domains", multiple=True, help="Domain of the image or page; all hosts below it, too.")
@click.option("--sha256", "sha256s", multiple=True, help="SHA-256 of the original file, or of a text, normalised.")
@click.option("--phash", "phashes", multiple=True, help="PDQ hash; takes down all pictures that look the same.")
@click.option("--uid", "uids", multiple=True, help="A sample's or document's uid.")
@click.option(
    "--file",
    "lists",
    multiple=True,
    type=click.Path(path_type=Path),
    help="List of these, one a line, where needed with its kind in front: phash 3fa9...",
)
@click.option(
    "--reason",
    type=click.Choice(["illegal", "privacy", "copyright", "opt-out", "other"]),
    help="Class of the reason. For illegal, privacy and copyright the picture or text stays out wherever it is found.",
)
@click.option("--ticket", help="Name of the request; only a salted hash of it is stored.")
@click.option("--dry-run", is_flag=True, help="Show what would go; change nothing.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--continue", "only_obey", is_flag=True, help="Finish a take-down, or catch up with a shared log.")
@click.option("--new-log", is_flag=True, help="Make an empty log in this folder, for several datasets to share.")
@click.option("--key", type=click.Path(path_type=Path), help="The log's private key, if it does not lie beside it.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(dataset: str, reason: str | None, ticket: str | None, key: Path | None, **flags: Any) -> None:
    """Takes something down for good: logs it, removes it, releases a new version without it, and writes a patch.

    Shows first what would go, and asks. The same command again finishes what was interrupted.
    """
    from allmende.cli.display import display
    from allmende.maintain.takedown import take_down

    if flags["new_log"]:
        _new_log(dataset)
        return
    targets = None if flags["only_obey"] else _targets(flags)
    if targets is not None and not (reason and ticket):
        raise RecipeError("Say why, and who asked: --reason privacy --ticket T-17")
    why, who = reason or "other", ticket or ""
    if flags["dry_run"] or not (flags["yes"] or flags["only_obey"]):  # what the log says is decided already
        preview = take_down(dataset, targets, reason=why, ticket=who, dry_run=True)
        if flags["dry_run"]:
            dump(preview) if flags["as_json"] else click.echo(_plan(preview))
            return
        click.echo(_plan(preview), err=True)
        click.confirm("Take this down for good?", abort=True, err=True)
    shown = display(quiet=flags["as_json"])
    removal = take_down(dataset, targets, reason=why, ticket=who, key=key, progress=shown)
    dump(removal) if flags["as_json"] else click.echo(_outcome(removal))


def _targets(flags: dict[str, Any]) -> "Targets":
    from allmende.maintain.targets import Targets, read_list

    targets = Targets.of(**{name: flags[name] for name in ("urls", "domains", "sha256s", "phashes", "uids")})
    for path in flags["lists"]:
        targets += read_list(path)
    if not targets.values():
        raise RecipeError("Say what to take down: --url, --domain, --sha256, --phash, --uid or --file.")
    return targets


def _new_log(folder: str) -> None:
    from allmende.steps.tombstone_folder import TombstoneFolder

    log = TombstoneFolder(folder)
    if log.exists():
        raise RecipeError(f"{log.where} is there already.")
    log.create()
    click.echo(
        f'An empty log: {log.where}\nIn the recipes of all datasets that obey it: [safety] tombstones = "{folder}"'
    )


def _plan(removal: "Removal") -> str:
    return (
        f"{number(removal.samples, 'sample')} would go, {number(removal.failures, 'further row')} be blanked, "
        f"{number(removal.shards, 'shard')} be made anew.\n{_counts(removal)}"
        f"New entries of the take-down log: {removal.entries:,}"
    )


def _outcome(removal: "Removal") -> str:
    if removal.version == removal.version_before:
        return (
            f"{_counts(removal)}Nothing of the release changed. New entries of the take-down log: {removal.entries:,}"
        )
    return (
        f"{_counts(removal)}Gone: {number(removal.samples, 'sample')}. "
        f"New entries of the take-down log: {removal.entries:,}\n"
        f"Version {removal.version_before} is now {removal.version}: publish {removal.dataset}/release\n"
        f"For those who have a copy: {removal.dataset}/{removal.patch}"
    )


def _counts(removal: "Removal") -> str:
    lines = [("named by", removal.by_kind), ("language", removal.languages)]
    return "".join(
        f"  {title}: {', '.join(f'{name} {count:,}' for name, count in counts.items())}\n"
        for title, counts in lines
        if counts
    )
