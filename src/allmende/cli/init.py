"""`allmende init`."""

from pathlib import Path

import click

from allmende import recipe_file
from allmende.cli import example
from allmende.errors import RecipeError


@click.command(
    epilog=example("allmende init german-images.toml", "allmende init mine.toml --archives 'archives/*.warc.gz'")
)
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--crawl", help="Common Crawl id to read.", default="CC-MAIN-2026-43", show_default=True)
@click.option("--archives", multiple=True, help="WARC or WAT files to read instead of a crawl: path, glob or URL.")
@click.option("--urls", multiple=True, help="Tables of image URLs to read instead of a crawl.")
@click.option("--languages", help="Caption languages to keep, as in de,fr,pl.", default="")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def command(
    recipe: Path, crawl: str, archives: tuple[str, ...], urls: tuple[str, ...], languages: str, force: bool
) -> None:
    """Writes a recipe with every key explained, to start from."""
    if recipe.exists() and not force:
        raise RecipeError(f"{recipe} exists. Choose another name, or add --force.")
    select: dict[str, object] = {"crawl": crawl, "files": 10}
    if archives or urls:
        select = {"archives": archives} if archives else {"urls": urls}
    chosen = {"captions": {"languages": tuple(languages.split(","))}} if languages else {}
    recipe.write_text(recipe_file.template(recipe.stem, {"select": select, **chosen}), "utf-8")
    click.echo(f"Wrote {recipe}. Set [dataset] contact, then:\n  allmende build {recipe}")
