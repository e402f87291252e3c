"""Writes docs/reference from the code: recipe keys, Reasons, tables, commands. `--check` only compares."""

import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path

import click
import msgspec
from personal_page import personal_page
from presets_page import presets_page

import allmende
from allmende import cli, recipe_file, schema
from allmende.api import FUNCTIONS
from allmende.cli import COMMANDS, root
from allmende.permission import policy
from allmende.publish import files, parquet, webdataset
from allmende.publish.member import STATUS_FIELDS
from allmende.recipe import Recipe
from allmende.safety.hits import HITS

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
        "text": "Main text of a page",
        "quality": "Quality of a text",
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
        "Columns of the tables in a dataset folder. The release's tables, `release/shards/*.parquet`, have those of `samples` or",
        "`documents`, but for `data_offset` and `data_size`, and before them some of their own, which depend on the sink.\n",
    ]
    tables = {
        "candidates and unique": schema.CANDIDATES,
        "samples": schema.SAMPLES,
        "samples, dropped": schema.FAILURES,
        "samples, hits": HITS,
        "hosts": schema.HOSTS,
        "robots, with permission.captures": schema.ROBOTS_CAPTURES,
        "documents": schema.DOCUMENTS,
        "documents, dropped": schema.DROPPED_PAGES,
        "pages, with repeats.unit": schema.PAGES,
        "release, webdataset": (*webdataset.FIELDS, *STATUS_FIELDS),
        "release, files": (*files.FIELDS, *STATUS_FIELDS),
        "release, parquet": parquet.FIELDS,
    }
    for name, table in tables.items():
        lines += [f"## {name}\n", "| column | type | meaning |", "|---|---|---|"]
        lines += [f"| `{f.name}` | {f.type} | {f.metadata[b'doc'].decode()} |" for f in table]
        lines.append("")
    return "\n".join(lines)


def commands_page() -> str:
    """Every command's help."""
    exit_codes = (cli.__doc__ or "").partition("\n\n")[2].strip()
    lines = [NOTE, "# Commands\n", f"{exit_codes}\n"]
    parent = click.Context(root, info_name="allmende")
    for name in COMMANDS:
        command = root.get_command(parent, name)
        assert command is not None
        text = command.get_help(click.Context(command, parent=parent, info_name=name))
        lines += [f"## allmende {name}\n", "```text", text, "```\n"]
        for inner in command.commands.values() if isinstance(command, click.Group) else ():
            text = inner.get_help(click.Context(inner, parent=parent, info_name=f"{name} {inner.name}"))
            lines += [f"### allmende {name} {inner.name}\n", "```text", text, "```\n"]
    return "\n".join(lines)


def _signature(function: Callable[..., object]) -> str:
    """What a function takes, without types, which its docstring tells in words; and what it returns."""
    shown = inspect.signature(function)
    taken = [p.replace(annotation=p.empty) for p in shown.parameters.values() if p.name != "sleep"]
    told = shown.return_annotation
    returned = re.sub(r"\w+\.", "", told.__name__ if isinstance(told, type) else str(told))
    return f"{shown.replace(parameters=taken, return_annotation=shown.empty)} -> {returned}"


def api_page() -> str:
    """The function of each command, and what each takes."""
    lines = [
        NOTE,
        "# The commands as functions\n",
        "`import allmende` costs next to nothing; what a name needs is imported when it is first used. A function has the name of",
        "its command, but where a package of Allmende has that name already (`allmende.fetch`, `allmende.inspect`, `allmende.demo`).",
        "Those that build return the `Dataset`; its methods (`candidates()`, `unique()`, `samples()`, `failures()`, `documents()`,",
        "`hosts()`) are Daft dataframes. `allmende.candidates(archives)` is one before anything is built.\n",
        "| command | function |",
        "|---|---|",
    ]
    for name, functions in FUNCTIONS.items():
        lines.append(f"| `allmende {name}` | {', '.join(f'[`{f}`](#{f})' for f in functions)} |")
    names = ["candidates", *(f for functions in FUNCTIONS.values() for f in functions)]
    for name in names:
        function = getattr(allmende, name)
        lines += [
            f"\n## {name}\n",
            "```text",
            f"allmende.{name}{_signature(function)}\n",
            inspect.getdoc(function) or "",
        ]
        lines.append("```")
    return "\n".join(lines) + "\n"


def permission_page() -> str:
    """What is respected: each kind of signal, where it is read, and what each preset does about it."""
    presets = list(policy.PRESETS.values())
    lines = [
        NOTE,
        "# What Allmende respects, and how\n",
        "People say in many ways whether their files may be mined or used for training. Allmende reads every way that",
        "machines can read, stores what it read with each sample, and judges by a policy: a dated table that says what",
        "follows. One reservation is enough; nothing outweighs it, and a value that can't be read is never taken for a yes.\n",
        "| signal | where it is read | reserves the file | " + " | ".join(f"`{p.name}`" for p in presets) + " |",
        "|---|---|---|" + "---|" * len(presets),
    ]
    for kind in policy.SIGNALS:
        actions = " | ".join(preset.actions[kind.name] for preset in presets)
        lines.append(f"| [`{kind.name}`](#{kind.name}) | {kind.where} | {kind.reserves} | {actions} |")
    unknown = " | ".join("-" if not preset.heeds("tdmrep") else preset.unknown for preset in presets)
    lines += [
        f"| a value that can't be read | any of these | (`permission.unknown`) | {unknown} |\n",
        "`deny`: a reservation drops the file (Reason `permission_denied`). `allow`: it is recorded and the file kept.",
        "`ignore`: it is neither read nor asked for. The default policy is `eu-commercial`; `off` must be confirmed with",
        "`without_permission = true`, and the dataset card says so. Each row of the table is a key of `[permission]` in the",
        "[recipe](recipe.md), so that a recipe can change single lines of a preset.\n",
        "## The presets\n",
        *(f"- `{p.name}`, in this form since {p.version}: {policy.MEANINGS[p.name]}" for p in presets),
        "\nThe law is moving: the German Federal Court of Justice will decide on opt-outs on 17 December 2026 (I ZR 281/25). So",
        "the raw signals stay with every sample, each row names the policy and its date, and `allmende recheck` judges a",
        "dataset anew under another policy without asking anybody again. None of this is legal advice.\n",
        "## The signals\n",
    ]
    for kind in policy.SIGNALS:
        lines += [
            f"### {kind.name}\n",
            f"Read in {kind.where}. Reserves: {kind.reserves}. Source: {kind.specification}.\n",
        ]
    return "\n".join(lines)


PAGES = {
    "recipe.md": recipe_page,
    "reasons.md": reasons_page,
    "tables.md": tables_page,
    "commands.md": commands_page,
    "api.md": api_page,
    "permission.md": permission_page,
    "personal-data.md": personal_page,
    "text-presets.md": presets_page,
}


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
