"""Writes docs/reference from the code: recipe keys, Reasons, tables, commands. `--check` only compares."""

import sys
from pathlib import Path

import click
import msgspec

from allmende import recipe_file, schema
from allmende.cli import COMMANDS, root
from allmende.recipe import Recipe

HOME = Path(__file__).resolve().parent.parent / "docs" / "reference"
NOTE = "<!-- Written by `make docs` from the code; edit the code instead. -->\n"


def recipe_page() -> str:
    """Every key of a recipe."""
    lines = [
        NOTE,
        "# The recipe\n",
        "A recipe is a TOML file. `allmende init` writes one with all keys explained; `allmende build` stores it",
        "with every default written out as `recipe.toml` beside the data.\n",
    ]
    sections = {f.name: f.type for f in msgspec.structs.fields(Recipe)}
    current = ""
    for key in recipe_file.all_keys():
        if key.section != current:
            current = key.section
            lines += [f"## [{current}]\n", f"{sections[current].__doc__}\n"]
        default = (
            "required"
            if key.section == "dataset" and key.name == "name"
            else f"default `{recipe_file.toml_value(key.default)}`"
        )
        bounds = f", {key.bounds}" if key.bounds else ""
        lines += [f"### {key.section}.{key.name}\n", f"{key.type}{bounds}; {default}. {key.description}\n"]
    return "\n".join(lines)


def reasons_page() -> str:
    """Every Reason."""
    lines = [
        NOTE,
        "# Reasons\n",
        "Every row that is dropped carries exactly one of these, and every part of every step counts them:",
        "`seen == kept + dropped` holds wherever you look. Those of the stages fetch and image can be tried again",
        "with `allmende retry DATASET --reason NAME`; the beginning of a name (`timeout`) takes all that start so.\n",
    ]
    titles = {
        "archive": "Archives and their records",
        "extract": "Links on a page",
        "caption": "Caption and URL rules",
        "dedup": "Duplicates and frequencies",
        "fetch": "The request",
        "image": "The image",
    }
    for stage, title in titles.items():
        lines += [f"## {title}\n"]
        for reason in schema.Reason:
            if reason.stage == stage:
                lines += [f"### {reason}\n", f"{reason.explanation}\n"]
    return "\n".join(lines)


def tables_page() -> str:
    """Every column of every table."""
    lines = [
        NOTE,
        "# Tables\n",
        "Columns of the tables in a dataset folder. The release's metadata has those of `samples`.\n",
    ]
    tables = {
        "candidates and unique": schema.CANDIDATES,
        "samples": schema.SAMPLES,
        "samples, dropped": schema.FAILURES,
    }
    for name, table in tables.items():
        lines += [f"## {name}\n", "| column | type | meaning |", "|---|---|---|"]
        lines += [f"| `{f.name}` | {f.type} | {f.metadata[b'doc'].decode()} |" for f in table]
        lines.append("")
    return "\n".join(lines)


def commands_page() -> str:
    """Every command's help."""
    lines = [
        NOTE,
        "# Commands\n",
        "Exit codes: 0 done · 1 a bug or an unexpected error · 2 wrong arguments or recipe · 4 a source is missing or refused ·",
        "5 the dataset folder can't be read or written · 6 the engine failed · 7 an optional dependency is missing ·",
        "130 stopped by Ctrl-C.\n",
    ]
    parent = click.Context(root, info_name="allmende")
    for name in COMMANDS:
        command = root.get_command(parent, name)
        assert command is not None
        text = command.get_help(click.Context(command, parent=parent, info_name=name))
        lines += [f"## allmende {name}\n", "```text", text, "```\n"]
    return "\n".join(lines)


PAGES = {"recipe.md": recipe_page, "reasons.md": reasons_page, "tables.md": tables_page, "commands.md": commands_page}


def main() -> None:
    """Writes all pages, or with --check says which are out of date."""
    stale = []
    for name, page in PAGES.items():
        path, text = HOME / name, page()
        if "--check" in sys.argv:
            stale += [] if path.exists() and path.read_text("utf-8") == text else [name]
        else:
            path.write_text(text, "utf-8")
    if stale:
        sys.exit(f"Out of date: {', '.join(stale)}. Run: make docs")


if __name__ == "__main__":
    main()
