"""`allmende init`."""

from pathlib import Path
from typing import Any

import click

from allmende import recipe_file
from allmende.cli import example
from allmende.errors import RecipeError


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
@click.option("--crawl", help="Common Crawl id to read.", default="CC-MAIN-2026-43", show_default=True)
@click.option("--archives", multiple=True, help="WARC, WAT or WET files to read instead of a crawl: path, glob or URL.")
@click.option("--urls", multiple=True, help="Tables of image URLs to read instead of a crawl.")
@click.option("--languages", help="Languages of captions or documents to keep, as in de,fr,pl.", default="")
@click.option("--tokenizer", help="Count tokens of documents: a tokenizer.json, or a name on the Hub.", default="")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def command(recipe: Path, kind: str, languages: str, tokenizer: str, force: bool, **inputs: Any) -> None:
    """Writes a recipe with every key explained, to start from."""
    from allmende.steps.recipe_check import check

    if recipe.exists() and not force:
        raise RecipeError(f"{recipe} exists. Choose another name, or add --force.")
    if tokenizer and kind != "text":
        raise RecipeError("--tokenizer counts tokens of documents: add --kind text.")
    wanted = tuple(code.strip() for code in languages.split(",") if code.strip())
    chosen = {"select": _select(**inputs)}
    if kind == "text":
        publish = {"sink": "parquet", "tokenizer": tokenizer}
        chosen = {"dataset": {"kind": "text"}, "text": {"languages": wanted}, "publish": publish, **chosen}
        chosen["select"] |= {"kind": "warc"}
        if wanted == ("en",):
            chosen["quality"] = {"preset": "fineweb"}
    elif wanted:
        chosen["captions"] = {"languages": wanted}
    text = recipe_file.template(recipe.stem, chosen)
    check(recipe_file.loads(text, str(recipe)))
    try:
        recipe.write_text(text, "utf-8")
    except OSError as error:
        raise RecipeError(f"{recipe} can't be written: {error.strerror}. Choose another place.") from error
    click.echo(f"Wrote {recipe}. Set [dataset] contact, then:\n  allmende build {recipe}")


def _select(crawl: str, archives: tuple[str, ...], urls: tuple[str, ...]) -> dict[str, Any]:
    if archives or urls:
        return {"archives": archives} if archives else {"urls": urls}
    return {"crawl": crawl, "files": 10}
