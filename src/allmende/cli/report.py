"""`allmende report`."""

from typing import Any

import click

from allmende.cli import dump, example


@click.command(epilog=example("allmende report my-dataset", "allmende report my-dataset --hits --json > hits.json"))
@click.argument("dataset")
@click.option("--hits", is_flag=True, help="Print what lists of known illegal content hit, as keyed hashes.")
@click.option("--json", "as_json", is_flag=True, help="Print the report's numbers as JSON instead of writing files.")
def command(dataset: str, hits: bool, as_json: bool) -> None:
    """Renews report.html and README.md of a dataset's release from what lies in its folder.

    Of a build that is not finished it writes a report.html outside of the release, which stays as it is.
    With --hits it writes nothing, and prints for the keepers of lists what their lists hit: how often, when, and
    hashes of URL and entry that only those can read who have the key of `safety.hits_key`.
    """
    from allmende.building import write_report
    from allmende.dataset import Dataset
    from allmende.steps.documents import release_data

    opened = Dataset(dataset)
    if hits:
        found = _hits(opened.lake)
        if as_json:
            dump(found)
        else:
            _print(found)
    elif as_json:
        dump(release_data(opened))
    else:
        for name in write_report(opened.lake):
            click.echo(opened.lake.url(name))


def _hits(lake: Any) -> dict[str, Any]:
    """Lists and hits of a dataset."""
    import msgspec

    from allmende.steps.list_screen import READ_BY, read_hits, read_lists

    lists = [msgspec.to_builtins(one) for one in read_lists(lake) if not one.category]
    rows = read_hits(lake).to_pylist()
    counts = (lake.step(step).counts().values() for step in READ_BY)
    dropped = sum(tally.dropped.get("listed", 0) for tallies in counts for tally in tallies)
    return {"dataset": lake.root, "rows_dropped": dropped, "lists": lists, "hits": rows}


def _print(found: dict[str, Any]) -> None:
    """For people: how often each list was hit, then the hits."""
    if not found["lists"]:
        click.echo("No list of known illegal content was used: see safety.hash_lists in the recipe.")
    for one in found["lists"]:
        rows = sum(hit["rows"] for hit in found["hits"] if (hit["list"], hit["kind"]) == (one["name"], one["kind"]))
        click.echo(f"{one['name']} ({one['kind']}, {one['date']}, {one['entries']:,} entries): {rows} rows dropped")
    for hit in found["hits"]:
        at = hit["at"].strftime("%Y-%m-%d %H:%M")
        click.echo(f"{at}  {hit['list']}  {hit['where']:8}  url {hit['url_hash']}  entry {hit['entry_hash']}")
