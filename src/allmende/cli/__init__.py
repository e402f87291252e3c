"""The command line: one file a command, loaded when it is asked for.

Exit codes: 0 done · 1 a bug or an unexpected error · 2 wrong arguments or recipe · 3 `verify` found problems ·
4 a source is missing or refused · 5 the dataset folder can't be read or written · 6 the engine failed ·
7 an optional dependency is missing · 8 a signature or digest does not hold · 130 stopped by Ctrl-C ·
141 whoever read the output went away, as `head` does.
"""

import importlib
import os
import signal
import sys
from typing import Any

import click

from allmende import __version__
from allmende.errors import AllmendeError

COMMANDS = {
    "init": "Writes a commented recipe to start from.",
    "build": "Builds the dataset of a recipe, or continues it.",
    "status": "Shows how far a dataset is, and what failed and why.",
    "retry": "Asks again for URLs that failed.",
    "tune": "Shows what quality thresholds would keep, from stored values.",
    "classifier": "Trains a model that scores documents.",
    "report": "Renews report.html and the dataset card.",
    "takedown": "Takes something down for good, and releases without it.",
    "patch": "Brings a copy of a release to the next version.",
    "diff": "Compares two releases.",
    "recheck": "Judges a dataset by another policy, or by what hosts say today.",
    "fetch": "Downloads a table of image URLs into a dataset.",
    "crawls": "Lists the crawls there are.",
    "inspect": "Shows what is in a WAT, WARC, shard, Parquet or dataset folder.",
    "verify": "Checks a dataset, or a copy of its release, against what it says of itself, and against the web.",
    "demo": "Builds a small dataset from a crawl that ships with Allmende, offline.",
}


class _Commands(click.Group):
    """Finds commands by name and imports only the one that runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"allmende.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with:  allmende demo",
)
@click.version_option(__version__, prog_name="allmende")
def root() -> None:
    """Turns snapshots of the open web into open, documented training datasets."""


def main() -> None:
    """Runs the command line. Errors of ours are printed without a traceback, and set the exit code."""
    # Arrow's own choice keeps, for each thread, the pages that it once had: 30 to 60 MB a process, and more the longer it runs.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    # NumPy's library starts a thread for each core, in each process. Only decoders multiply matrices, with one each.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # A script's job in the background is started so that it ignores Ctrl-C. Daft listens all the same; so must we.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _have_stdout_alone()
    code = _run()
    sys.stderr.flush()
    if not sys.modules.keys().isdisjoint({"daft", "pyarrow"}):
        # Their threads may abort the interpreter while that takes itself down, after all is done and committed.
        os._exit(code)
    sys.exit(code)


def _have_stdout_alone() -> None:
    """Lets what goes to file descriptor 1 go to stderr, save what we print: Daft writes what workers log there, into `--json`."""
    sys.stdout = open(os.dup(1), "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors, buffering=1)  # noqa: PTH123, SIM115
    os.dup2(2, 1)


def _run() -> int:
    """Runs a command; its exit code."""
    try:
        code = root.main(standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except AllmendeError as error:
        click.secho(f"Error: {error}", fg="red", err=True)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort) as error:
        asked = isinstance(error, click.Abort) and error.__cause__ is None  # it ended a question; else Ctrl-C at work
        safe = "Stopped. Finished parts are safe: the same command goes on from here."
        click.secho("Nothing was changed." if asked else safe, fg="yellow", err=True)
        return 130
    except (BrokenPipeError, SystemExit):  # whoever read our output has enough: click says so by an exit, and that only
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return code if isinstance(code, int) else 0  # a number if the command ended with `Exit`


def example(*lines: str) -> str:
    """The `epilog` of a command: commands to copy."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def number(count: int, what: str) -> str:
    """A number of things: `1 sample`, `2,000 samples`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def dump(value: Any) -> None:
    """Prints a value as JSON."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
