"""`allmende patch`."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from allmende.cli import dump, example


@click.group(
    name="patch",
    epilog=example(
        "allmende patch apply my-copy 1.0.0-2.0.0.patch",
        "allmende patch verify my-copy https://example.org/releases/patches/1.0.0-2.0.0.patch",
    ),
)
def command() -> None:
    """Brings a copy of a release to the next version, byte for byte; the copy needs no lake."""


@command.command()
@click.argument("dataset", type=click.Path(path_type=Path))
@click.argument("patch")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def apply(dataset: Path, patch: str, as_json: bool) -> None:
    """Applies a patch. Checks everything first; interrupted, the same command finishes it.

    Needs room for the files that change, which are made aside first.
    """
    from allmende.maintain.apply_patch import apply as apply_patch

    with _at_hand(patch) as path:
        done = apply_patch(dataset, path)
    if as_json:
        dump(done)
        return
    click.echo(f"{done.copy}: {done.version_before} is now {done.version} ({done.changed} files new, {done.gone} gone)")


@command.command()
@click.argument("dataset", type=click.Path(path_type=Path))
@click.argument("patch")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def verify(dataset: Path, patch: str, as_json: bool) -> None:
    """Checks whose patch it is, that it is whole, and that it fits this copy. Changes nothing."""
    from allmende.maintain.apply_patch import check, find_copy
    from allmende.maintain.patch import Patch

    with _at_hand(patch) as path:
        opened = Patch(path)
        manifest = check(find_copy(dataset), opened)
    header = opened.header
    if as_json:
        dump({"copy": manifest.version, "old": header.old, "new": header.new, "files": len(header.files)})
        return
    click.echo(
        f"{patch}: good. It leads from {header.old.version} to {header.new.version}; the copy is {manifest.version}.\n"
        f"{len(header.files)} files are new or different, {len(header.gone)} go."
    )


@contextmanager
def _at_hand(patch: str) -> Iterator[Path]:
    """The patch as a file of this machine: one at a URL (https, s3, ...) is copied here first."""
    from allmende.commoncrawl.source import is_remote, open_archive

    if not is_remote(patch):
        yield Path(patch)
        return
    with tempfile.TemporaryDirectory(prefix="allmende-patch-") as folder:
        path = Path(folder) / patch.rsplit("/", 1)[-1]
        with open_archive(patch) as source, path.open("wb") as file:
            shutil.copyfileobj(source, file)
        yield path
