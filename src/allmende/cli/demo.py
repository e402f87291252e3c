"""`allmende demo`."""

import click

from allmende.cli import example

NEXT = {
    "images": "allmende init german-images.toml --languages de",
    "text": "allmende init german-text.toml --kind text --languages de",
}


@click.command(
    epilog=example("allmende demo", "allmende demo --kind text", "allmende demo --to /tmp/demo --engine ray")
)
@click.option(
    "--kind", type=click.Choice(["images", "text"]), default="images", show_default=True, help="What to build."
)
@click.option("--to", "output", help="Folder of the dataset.  [default: demo; demo-text for text]")
@click.option("--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True, help="Where to run.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(kind: str, output: str | None, engine: str, as_json: bool) -> None:
    """Builds a small dataset, offline, from a crawl that ships with Allmende.

    For images a web server on this machine plays Common Crawl and the web. Documents are read from archives alone, of manuals
    in some 25 languages. All the rest is a build as any other.
    """
    from allmende.cli.display import display
    from allmende.cli.status import conclude
    from allmende.demo import build_demo
    from allmende.engine import Engine, spare_pandas

    spare_pandas()
    dataset = build_demo(kind, output or "", Engine(engine), display(quiet=as_json))
    conclude(dataset, as_json=as_json, next_command=NEXT[kind])
