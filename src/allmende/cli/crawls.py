"""`allmende crawls`."""

import click

from allmende.cli import dump, example


@click.command(epilog=example("allmende crawls", "allmende crawls --source /data/commoncrawl --json"))
@click.option("--source", default="https", show_default=True, help="https, s3, a base URL, or a local mirror's folder.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def command(source: str, as_json: bool) -> None:
    """Lists the crawls of a source, newest first."""
    from allmende.commoncrawl.crawls import list_crawls

    found = list_crawls(source, retries=2)
    if as_json:
        dump(found)
        return
    for crawl in found:
        click.echo(f"{crawl.id:<20} {crawl.name}")
