"""`allmende diff`."""

from typing import TYPE_CHECKING

import click

from allmende.cli import dump, example

if TYPE_CHECKING:
    from allmende.maintain.diff import Difference


@click.command(
    epilog=example(
        "allmende diff old-copy my-dataset",
        "allmende diff my-dataset/releases/1.0.0.json my-dataset",
        "allmende diff https://data.example/set/release my-copy --json",
    )
)
@click.argument("old")
@click.argument("new")
@click.option("--json", "as_json", is_flag=True, help="Print the difference as JSON, with the paths of all files.")
def command(old: str, new: str, as_json: bool) -> None:
    """Compares two releases: samples by uid, files by digest.

    Each may be a dataset, the folder of a release, or a manifest (then only files can be compared); a path or a URL.
    """
    from allmende.maintain.diff import compare

    found = compare(old, new)
    if as_json:
        dump(found)
        return
    click.echo("\n".join(_lines(found)))


def _lines(found: "Difference") -> list[str]:
    lines = [f"{found.old}  →  {found.new}", f"samples   {found.samples_old:,}  →  {found.samples_new:,}"]
    if found.samples is None:
        lines.append("          (which ones, only the metadata of both releases tells)")
    else:
        lines.append(
            f"          {found.samples.added:,} added, {found.samples.removed:,} removed, {found.samples.changed:,} changed"
        )
        for title, counts in (("language", found.samples.languages), ("host", found.samples.hosts)):
            lines += [f"  {title:<9} {name:<30} {_changes(count)}" for name, count in counts.items()]
    if found.removed_for:
        lines.append("taken down " + ", ".join(f"{count:,} ({reason})" for reason, count in found.removed_for.items()))
    files = found.files
    lines.append(
        f"files     {len(files.added):,} added, {len(files.removed):,} removed, {len(files.changed):,} changed: {files.bytes:,} bytes"
    )
    if found.policy[0] != found.policy[1]:
        lines.append(f"policy    {found.policy[0]}  →  {found.policy[1]}")
    lines.append(f"log       {found.tombstones[0]:,}  →  {found.tombstones[1]:,} entries")
    return lines


def _changes(count: dict[str, int]) -> str:
    signs = {"added": "+", "removed": "-", "changed": "~"}
    return "  ".join(f"{signs[change]}{number:,}" for change, number in sorted(count.items()))
