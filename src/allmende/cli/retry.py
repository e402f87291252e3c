"""`allmende retry`."""

import click

from allmende.cli import dump, example
from allmende.errors import RecipeError


@click.command(
    epilog=example(
        "allmende retry my-dataset --reason timeout", "allmende retry my-dataset --status 503 --reason connection_lost"
    )
)
@click.argument("dataset")
@click.option(
    "--reason", "reasons", multiple=True, help="Reason to try again, or its beginning: timeout is all timeouts."
)
@click.option("--status", "statuses", multiple=True, type=int, help="HTTP status to try again.")
@click.option("--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True, help="Where to run.")
@click.option("--address", default="", help="Address of a running Ray cluster.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    dataset: str, reasons: tuple[str, ...], statuses: tuple[int, ...], engine: str, address: str, as_json: bool
) -> None:
    """Asks again for URLs that failed, and only for those; then renews the release."""
    from allmende.cli.display import display
    from allmende.cli.status import funnel_text
    from allmende.engine import Engine, spare_pandas
    from allmende.retrying import retry

    if not reasons and not statuses:
        raise RecipeError(
            "Say what to try again: --reason timeout, or --status 503. `allmende status` shows what failed."
        )
    spare_pandas()
    opened = retry(dataset, list(reasons), list(statuses), Engine(engine, address), display(quiet=as_json))
    if as_json:
        dump(opened.status())
    else:
        click.echo(funnel_text(opened))
