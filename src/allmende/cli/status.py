"""`allmende status`."""

import click

from allmende.cli import dump, example
from allmende.dataset import Dataset, StepStatus


@click.command(epilog=example("allmende status my-dataset", "allmende status s3://bucket/my-dataset --json"))
@click.argument("dataset")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(dataset: str, as_json: bool) -> None:
    """Shows progress, rates, the funnel, what is left, and what failed and why."""
    opened = Dataset(dataset)
    status = opened.status()
    if as_json:
        dump(status)
        return
    for step in status:
        click.echo(_step_line(step))
    click.echo()
    click.echo(funnel_text(opened, reasons=1000))


def _step_line(step: StepStatus) -> str:
    if step.idle:
        return f"{step.step:<15} {step.idle}"
    state = "done" if step.finished == step.parts else f"{step.parts - step.finished} left"
    rows = sum(tally.seen for unit, tally in step.counts.items() if unit != "record")
    rate = f" · {rows / step.worker_seconds:,.0f} rows/s per worker" if step.worker_seconds and rows else ""
    received = step.facts.get("bytes_received", 0)
    volume = f" · {received / 1e6:,.1f} MB received" if received else ""
    lines, pages = (step.facts.get(f"repeated_{what}", 0) for what in ("lines", "documents"))
    repeats = f" · {lines:,} repeats taken out of {pages:,} texts" if lines else ""
    return f"{step.step:<15} {step.finished}/{step.parts} parts, {state}{rate}{volume}{repeats}"


def funnel_text(dataset: Dataset, reasons: int = 8) -> str:
    """The funnel as text: for each step what it saw, kept and dropped, and the most frequent reasons why."""
    from allmende.publish.funnel import render_text
    from allmende.steps.funnel import funnel

    return render_text(funnel(dataset), reasons)


def conclude(dataset: Dataset, *, as_json: bool, next_command: str) -> None:
    """What a build says at its end."""
    if as_json:
        dump(dataset.status())
        return
    click.echo(funnel_text(dataset))
    click.echo(f"\nThe dataset: {dataset.lake.url('release')}")
    click.echo(f"Its report:  {dataset.lake.url('release/report.html')}  (open it in a browser)")
    click.echo(f"Try next:    {next_command}")
