"""`allmende report`."""

import click

from allmende.cli import dump, example


@click.command(epilog=example("allmende report my-dataset"))
@click.argument("dataset")
@click.option("--json", "as_json", is_flag=True, help="Print the report's numbers as JSON instead of writing files.")
def command(dataset: str, as_json: bool) -> None:
    """Renews report.html and README.md of a dataset's release from what lies in its folder."""
    from allmende.dataset import Dataset
    from allmende.steps.documents import report_data, write_documents

    opened = Dataset(dataset)
    if as_json:
        dump(report_data(opened))
        return
    for name in write_documents(opened):
        click.echo(opened.lake.url(name))
