"""`allmende inspect`."""

import click

from allmende.cli import dump, example


@click.command(
    epilog=example(
        "allmende inspect CC-MAIN-20261001-00000.warc.wat.gz",
        "allmende inspect my-dataset/release/shards/00000.tar --rows 2",
        "allmende inspect my-dataset --json",
    )
)
@click.argument("file")
@click.option("--rows", default=5, show_default=True, help="Rows or records to show.")
@click.option("--limit", default=100_000, show_default=True, help="Records to read at most; more are not counted.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(file: str, rows: int, limit: int, as_json: bool) -> None:
    """Shows what is in a file: WAT or WARC archive, shard, Parquet, URL table, manifest, or a dataset's folder.

    FILE may be a path or a URL (https://, s3://). Its content counts, not its name; a damaged file is described
    as far as it can be read.
    """
    from allmende.inspect import inspect, render_text

    finding = inspect(file, rows=rows, limit=limit)
    if as_json:
        dump(finding)
    else:
        click.echo(render_text(finding))
