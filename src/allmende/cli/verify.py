"""`allmende verify`."""

import time

import click

from allmende.cli import dump, example
from allmende.errors import LakeError

TOLD_SECONDS = 10.0


@click.command(
    epilog=example(
        "allmende verify my-dataset",
        "allmende verify copy-of-the-release --decode --json",
        "allmende verify my-dataset --online --sample 2000 --contact you@example.org",
        "allmende verify my-dataset --online --sample 0 --rdap https://rdap.org/",
    )
)
@click.argument("dataset")
@click.option("--decode", is_flag=True, help="Also decode every stored image and compare its perceptual hash.")
@click.option("--online", is_flag=True, help="Also ask the web: do the URLs still lead to the same files or texts?")
@click.option(
    "--sample",
    type=click.IntRange(min=0),
    default=1_000,
    show_default=True,
    help="URLs to ask for, chosen by the dataset's seed; 0 for all.",
)
@click.option("--rdap", default="", help="RDAP service to ask when a domain was registered, such as https://rdap.org/")
@click.option("--contact", default="", help="Your e-mail or web address, sent to the servers you ask.")
@click.option("--set", "settings", multiple=True, metavar="SECTION.KEY=VALUE", help="A key of the recipe, in TOML.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(
    dataset: str,
    decode: bool,
    online: bool,
    sample: int,
    rdap: str,
    contact: str,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Checks a dataset, or a copy of its release, against what it says of itself.

    Every file against its recorded size and digest, every sample's image, JSON and caption against its row of the
    metadata, every document's row against its text. With --online, a sample of the URLs against the digests, or texts,
    of what they led to when the dataset was built.
    The report is printed, and written to verify.json in the dataset's folder, if that can be written to.

    Exit code 3: something is wrong with the dataset. What has changed on the web since is told, but is no fault of it.
    """
    from allmende.cli.display import display
    from allmende.maintain.online import Options, compare
    from allmende.maintain.verify import verify, with_online, write_report
    from allmende.maintain.verify_text import render_text

    if rdap and not rdap.startswith(("https://", "http://")):
        raise click.UsageError(f"--rdap wants the URL of a service, such as https://rdap.org/, not {rdap!r}.")
    progress = display(quiet=as_json)
    last = time.monotonic()

    def told(text: str) -> None:
        nonlocal last
        if time.monotonic() - last >= TOLD_SECONDS:
            last = time.monotonic()
            progress.note(text)

    report = verify(dataset, decode=decode, told=told)
    if online:
        report = with_online(
            report, compare(dataset, Options(sample=sample, rdap=rdap, contact=contact, settings=settings), told)
        )
    if as_json:
        dump(report)
    else:
        click.echo(render_text(report))
    try:
        write_report(report)
    except LakeError as error:  # a copy that nobody may write to can be checked all the same
        click.echo(f"This report is not kept: {error}", err=True)
    if not report.sound:
        raise click.exceptions.Exit(3)
