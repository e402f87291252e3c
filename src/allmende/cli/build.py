"""`allmende build`."""

from dataclasses import asdict
from pathlib import Path

import click

from allmende import recipe_file
from allmende.cli import dump, example


@click.command(
    epilog=example(
        "allmende build german-images.toml",
        "allmende build german-images.toml --dry-run",
        "allmende build german-images.toml --engine ray --address auto",
    )
)
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True, help="Where to run.")
@click.option("--address", default="", help="Address of a running Ray cluster; without it, one is started here.")
@click.option("--workers", type=click.IntRange(min=0), help="Worker processes; by default one per core.")
@click.option("--output", help="Folder or URL of the dataset, instead of the recipe's.")
@click.option("--dry-run", is_flag=True, help="Show what would be read and done; write nothing.")
@click.option("--redo", is_flag=True, help="Throw away what another recipe made here, and build anew.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    recipe: Path,
    engine: str,
    address: str,
    workers: int | None,
    output: str | None,
    dry_run: bool,
    redo: bool,
    as_json: bool,
) -> None:
    """Builds the dataset of a recipe. The same command again continues where it stopped."""
    import msgspec

    from allmende.building import build, outlook
    from allmende.cli.display import display
    from allmende.cli.status import conclude
    from allmende.engine import Engine, spare_pandas

    loaded = recipe_file.load(recipe)
    if output:
        loaded = msgspec.structs.replace(loaded, dataset=msgspec.structs.replace(loaded.dataset, output=output))
    if dry_run:
        _print_outlook(asdict(outlook(loaded, redo=redo)), as_json=as_json)
        return
    spare_pandas()
    chosen = Engine(engine, address, loaded.run.workers if workers is None else workers)
    dataset = build(loaded, chosen, display(quiet=as_json), redo=redo)
    conclude(dataset, as_json=as_json, next_command=f"allmende status {dataset.lake.root}")


def _print_outlook(plan: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        dump(plan)
        return
    inputs, steps = plan["inputs"], plan["steps"]
    assert isinstance(inputs, list)
    assert isinstance(steps, dict)
    click.echo(f"Would build {plan['output']} from {len(inputs)} inputs:")
    for item in inputs[:10]:
        click.echo(f"  {item}")
    if len(inputs) > 10:
        click.echo(f"  ... and {len(inputs) - 10} more (all of them: --json)")
    for step, state in steps.items():
        click.echo(f"{step:<15} {state}")
