"""`allmende init`."""

from pathlib import Path
from typing import Any

import click

from allmende.api import NEWEST
from allmende.cli import example


@click.command(
    epilog=example(
        "allmende init german-images.toml",
        "allmende init mine.toml --archives 'archives/*.warc.gz'",
        "allmende init german-text.toml --kind text --languages de,fr,pl",
    )
)
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option(
    "--kind", type=click.Choice(["images", "text"]), default="images", show_default=True, help="What to build."
)
@click.option("--crawl", help="Common Crawl id to read.", default=NEWEST, show_default=True)
@click.option("--archives", multiple=True, help="WARC, WAT or WET files to read instead of a crawl: path, glob or URL.")
@click.option("--urls", multiple=True, help="Tables of image URLs to read instead of a crawl.")
@click.option("--languages", help="Languages of captions or documents to keep, as in de,fr,pl.", default="")
@click.option("--tokenizer", help="Count tokens of documents: a tokenizer.json, or a name on the Hub.", default="")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def command(recipe: Path, languages: str, **chosen: Any) -> None:
    """Writes a recipe with every key explained, to start from."""
    from allmende.api import init

    wanted = tuple(code.strip() for code in languages.split(",") if code.strip())
    init(recipe, languages=wanted, **chosen)
    click.echo(f"Wrote {recipe}. Set [dataset] contact, then:\n  allmende build {recipe}")
