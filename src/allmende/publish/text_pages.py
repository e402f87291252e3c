"""Dataset card and report of a release of text."""

from collections.abc import Sequence
from html import escape

import msgspec

from allmende.publish.funnel import Stage, explanation, render_text
from allmende.publish.report import source_line
from allmende.recipe import Recipe


class TextPages(msgspec.Struct, frozen=True, kw_only=True):
    """What card and report of a release of text say."""

    recipe: Recipe
    recipe_toml: str
    version: str
    created: str
    stages: tuple[Stage, ...]
    languages: dict[str, dict[str, int]]
    """Documents by language and fate: kept, or a Reason."""
    documents: int
    release_bytes: int
    shards: tuple[str, ...]


def text_card(data: TextPages) -> str:
    """The dataset card, in the form that the Hugging Face Hub reads."""
    dataset = data.recipe.dataset
    kept = [language for language, fates in sorted(data.languages.items()) if fates.get("kept")]
    lines = [
        "---",
        f"license: {dataset.license}",
        f"pretty_name: {msgspec.json.encode(dataset.name).decode()}",
        *(["language:", *(f"- {language}" for language in kept)] if kept else []),
        "configs:",
        "- config_name: default",
        "  data_files: shards/*.parquet",
        "---",
        "",
        f"# {dataset.name}",
        "",
        *([dataset.description, ""] if dataset.description else []),
        f"{data.documents:,} documents from {source_line(data.recipe)}, made by Allmende {data.version} on {data.created}.",
        "",
        "## What each step kept",
        "",
        "```text",
        render_text(data.stages, reasons=1000, bars=0),
        "```",
        "",
        "## Reasons",
        "",
        *(f"- `{reason}`: {explanation(reason)}" for reason in _reasons(data.stages)),
    ]
    return "\n".join(lines) + "\n"


def _reasons(stages: Sequence[Stage]) -> list[str]:
    return sorted({reason for stage in stages for reason in stage.dropped})


def text_report(data: TextPages) -> str:
    """The report as one HTML document that loads nothing and runs nothing."""
    title = escape(data.recipe.dataset.name)
    rows = "".join(
        f"<tr><td>{escape(language)}</td><td>{escape(fate)}</td><td>{count:,}</td></tr>"
        for language, fates in sorted(data.languages.items())
        for fate, count in sorted(fates.items(), key=lambda item: -item[1])
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{title}</title></head><body><h1>{title}</h1>"
        f"<p>{data.documents:,} documents, {data.release_bytes:,} bytes, {escape(source_line(data.recipe))}</p>"
        f"<h2>Funnel</h2><pre>{escape(render_text(data.stages, reasons=1000))}</pre>"
        f"<h2>Languages</h2><table><tr><th>language</th><th>fate</th><th>documents</th></tr>{rows}</table>"
        f"<h2>Recipe</h2><pre>{escape(data.recipe_toml)}</pre></body></html>\n"
    )
