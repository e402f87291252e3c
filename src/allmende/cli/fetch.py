"""`allmende fetch`: a URL table in, a dataset out."""

import click

from allmende.cli import example


@click.command(
    epilog=example(
        "allmende fetch urls.parquet --to images/",
        "allmende fetch pairs.tsv --to images/ --url-column image --caption-column text --size 512",
    )
)
@click.argument("tables", nargs=-1, required=True)
@click.option("--to", "output", required=True, help="Folder or URL of the dataset.")
@click.option("--url-column", default="url", show_default=True, help="Column with the image URL.")
@click.option("--caption-column", default="caption", show_default=True, help="Column with the caption.")
@click.option(
    "--keep-column", "keep_columns", multiple=True, help="Another column that goes into the release; repeatable."
)
@click.option("--size", type=click.IntRange(min=1), default=256, show_default=True, help="Target size in pixels.")
@click.option(
    "--mode",
    type=click.Choice(["keep_ratio", "keep_ratio_largest", "center_crop", "border", "no"]),
    default="keep_ratio",
    show_default=True,
    help="How to resize.",
)
@click.option(
    "--format",
    "image_format",
    type=click.Choice(["jpg", "png", "webp", "avif"]),
    default="jpg",
    show_default=True,
    help="Stored format.",
)
@click.option("--quality", type=click.IntRange(0, 100), help="Encoder quality; 95, for png compression level 6.")
@click.option("--sink", default="webdataset", show_default=True, help="webdataset, parquet or files.")
@click.option(
    "--contact", default="", help="Your e-mail or web address, sent to the servers you ask. Needed above 10,000 URLs."
)
@click.option(
    "--set", "settings", multiple=True, metavar="SECTION.KEY=VALUE", help="Any other key of a recipe, in TOML."
)
@click.option("--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True, help="Where to run.")
@click.option("--address", default="", help="Address of a running Ray cluster; without it, one is started here.")
@click.option("--workers", type=click.IntRange(min=0), help="Worker processes; by default one per core.")
@click.option("--redo", is_flag=True, help="Throw away what other options made here, and fetch anew.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    tables: tuple[str, ...],
    output: str,
    settings: tuple[str, ...],
    engine: str,
    address: str,
    workers: int | None,
    redo: bool,
    as_json: bool,
    **chosen: str | int | tuple[str, ...],
) -> None:
    """Downloads the images of URL tables (parquet, csv, tsv, json, jsonl, txt; .gz) into a dataset.

    No image is dropped for its size or shape unless asked to: --set images.min_side=200
    """
    from allmende.building import build
    from allmende.cli.display import display
    from allmende.cli.status import conclude
    from allmende.engine import Engine, spare_pandas
    from allmende.recipe_file import from_table

    recipe = from_table(tables, output, dict(chosen), settings)
    spare_pandas()
    using = Engine(engine, address, recipe.run.workers if workers is None else workers)
    dataset = build(recipe, using, display(quiet=as_json), redo=redo)
    conclude(dataset, as_json=as_json, next_command=f"allmende status {dataset.lake.root}")
