"""`allmende demo`."""

import click

from allmende.cli import example


@click.command(epilog=example("allmende demo", "allmende demo --to /tmp/demo --engine ray"))
@click.option("--to", "output", default="demo", show_default=True, help="Folder of the dataset.")
@click.option("--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True, help="Where to run.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(output: str, engine: str, as_json: bool) -> None:
    """Builds a small dataset, offline, from a crawl that ships with Allmende.

    A web server on this machine plays Common Crawl and the web; all the rest is a build as any other.
    """
    from allmende import demo
    from allmende.building import build
    from allmende.cli.display import display
    from allmende.cli.status import conclude
    from allmende.engine import Engine

    with demo.serve() as server:
        dataset = build(demo.recipe(server, output), Engine(engine), display(quiet=as_json))
    conclude(dataset, as_json=as_json, next_command="allmende init german-images.toml --languages de")
