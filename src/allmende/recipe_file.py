"""Recipes as TOML: read with errors that name the line, written with every key explained."""

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec

from allmende import __version__
from allmende.errors import RecipeError
from allmende.recipe import Recipe, Section

SECTIONS = {
    "images": (
        "dataset",
        "select",
        "extract",
        "captions",
        "urls",
        "dedup",
        "fetch",
        "images",
        "permission",
        "safety",
        "publish",
        "run",
    ),
    "text": (
        "dataset",
        "select",
        "extract",
        "text",
        "repeats",
        "quality",
        "near_duplicates",
        "decontamination",
        "dedup",
        "permission",
        "safety",
        "publish",
        "run",
    ),
}
"""Which sections count for which kind of dataset."""

_NOT_FOR_TEXT = {
    "select": {"urls", "url_column", "caption_column", "keep_columns"},
    "extract": {"caption_sources", "context_chars", "max_url_chars", "keep_dropped"},
    "dedup": {"max_url_seen", "max_caption_seen"},
    "safety": {"pdq_distance"},
}
"""Keys of these sections that say nothing about documents."""

_OF_TEXT = {"select": {"kind": "warc"}, "publish": {"sink": "parquet"}}
"""Defaults that differ for text."""


class Key(msgspec.Struct, frozen=True):
    """One key of a recipe, as its documentation needs it."""

    section: str
    name: str
    type: str
    bounds: str
    default: Any
    description: str


def load(path: str | Path) -> Recipe:
    """Reads a recipe.

    Raises:
        RecipeError: with file, line and what to write instead.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise RecipeError(f"No recipe at {path}. Make one: allmende init {path}") from None
    except OSError as error:
        raise RecipeError(f"{path} can't be read: {error.strerror}") from error
    return loads(content, str(path))


def loads(content: str | bytes, where: str = "recipe") -> Recipe:
    """Reads a recipe from TOML; `where` names it in errors.

    Raises:
        RecipeError: if it is not TOML, has an unknown key, or a value out of its bounds.
    """
    try:
        text = content if isinstance(content, str) else content.decode()
        raw = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise RecipeError(f"{where} is not valid TOML: not UTF-8 ({error})") from error
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{where} is not valid TOML: {error}") from error
    return _made(raw, text, where)


def _made(raw: dict[str, Any], text: str, where: str) -> Recipe:
    """The recipe of values; `text` is the TOML they stood in, if they did, to find lines in."""
    try:
        recipe = msgspec.convert(_with_kind(raw), Recipe)
    except msgspec.ValidationError as error:
        raise RecipeError(_explain(str(error), text, where)) from error
    check(recipe, where)
    return recipe


def _with_kind(raw: dict[str, Any]) -> dict[str, Any]:
    """What stands in a recipe, with the defaults that its kind has of its own."""
    dataset = raw.get("dataset")
    if not isinstance(dataset, dict) or dataset.get("kind") != "text":
        return raw
    own = {name: keys | told for name, keys in _OF_TEXT.items() if isinstance(told := raw.get(name, {}), dict)}
    return {**raw, **own}


def check(recipe: Recipe, where: str = "recipe") -> None:
    """Refuses what no single key can refuse.

    Raises:
        RecipeError: if keys contradict each other.
    """
    given = [n for n in ("crawl", "archives", "urls") if getattr(recipe.select, n)]
    if len(given) != 1:
        problem = f"names {' and '.join(given)}" if given else "names no input"
        raise RecipeError(f"{where}: [select] {problem}: give exactly one of crawl, archives or urls.")
    if recipe.permission.policy == "off" and not recipe.permission.without_permission:
        raise RecipeError(
            f'{where}: [permission] policy = "off" takes files against their owners\' wishes. '
            "If that is what you mean, set without_permission = true; the dataset card will say so."
        )
    if recipe.dataset.kind == "text":
        _check_text(recipe, where)
    else:
        _check_images(recipe, where)


def _check_images(recipe: Recipe, where: str) -> None:
    for low, high in (("min_chars", "max_chars"), ("min_words", "max_words")):
        if getattr(recipe.captions, low) > getattr(recipe.captions, high):
            raise RecipeError(f"{where}: [captions] {low} is above {high}: nothing could pass.")
    if recipe.images.format == "png" and recipe.images.quality > 9:
        raise RecipeError(
            f"{where}: [images] quality is png's compression level here: 0..9, not {recipe.images.quality}."
        )
    if recipe.select.kind == "wet":
        raise RecipeError(f'{where}: [select] kind = "wet" has no images: set kind = "wat" or "warc".')
    if recipe.publish.tokenizer:
        raise RecipeError(f"{where}: [publish] tokenizer counts tokens of documents, and this dataset has images.")
    if recipe.publish.sink == "jsonl":
        raise RecipeError(f'{where}: [publish] sink = "jsonl" is for text: set sink = "webdataset".')
    wats = recipe.select.urls or (recipe.select.crawl and recipe.select.kind == "wat")
    if recipe.fetch.source == "archive" and wats:
        raise RecipeError(
            f'{where}: [fetch] from = "archive" needs the WARC files themselves: set [select] kind = "warc".'
        )
    for pattern in recipe.urls.blocked:
        try:
            re.compile(pattern)
        except re.error as error:
            raise RecipeError(f"{where}: [urls] blocked: {pattern!r} is no regular expression: {error}") from error


def _check_text(recipe: Recipe, where: str) -> None:
    select, text = recipe.select, recipe.text
    if select.urls:
        raise RecipeError(f"{where}: [select] urls names images. Text is read from archives: give crawl or archives.")
    if select.kind == "wat":
        raise RecipeError(f'{where}: [select] kind = "wat" has no text: set kind = "warc" or "wet".')
    if recipe.publish.sink in ("webdataset", "files"):
        raise RecipeError(f'{where}: [publish] sink = "{recipe.publish.sink}" is for images: set sink = "parquet".')
    if text.min_chars > text.max_chars:
        raise RecipeError(f"{where}: [text] min_chars is above max_chars: nothing could pass.")


def output(recipe: Recipe) -> str:
    """Folder or URL of the dataset."""
    return recipe.dataset.output or recipe.dataset.name


def from_table(tables: Sequence[str], output: str, chosen: dict[str, Any], settings: Sequence[str]) -> Recipe:
    """The recipe of `allmende fetch`: img2dataset's defaults, so nothing is dropped unless asked for.

    Args:
        tables: Files with URLs.
        output: Folder of the dataset.
        chosen: Values of the command's own options.
        settings: Further keys as `section.key=value` in TOML.

    Raises:
        RecipeError: if a setting is wrong.
    """
    quality = chosen["quality"] or (6 if chosen["image_format"] == "png" else 95)
    raw: dict[str, dict[str, Any]] = {
        "dataset": {"name": output.rstrip("/").rsplit("/", 1)[-1], "output": output, "contact": chosen["contact"]},
        "select": {
            "urls": list(tables),
            **{k: chosen[k] for k in ("url_column", "caption_column", "keep_columns") if k in chosen},
        },
        "dedup": {"max_url_seen": 0, "max_caption_seen": 0},
        "safety": {"domain_lists": []},
        "images": {
            **{k: chosen[k] for k in ("size", "mode")},
            "format": chosen["image_format"],
            "quality": quality,
            "min_bytes": 0,
            "min_side": 0,
            "max_aspect_ratio": 1e9,
            "drop_single_colour": False,
        },
        "publish": {"sink": chosen["sink"]},
    }
    for setting in settings:
        name, sign, value = setting.partition("=")
        section, _, key = name.strip().partition(".")
        if not sign or not key:
            raise RecipeError(f"--set {setting}: write it as section.key=value, as in images.min_side=200.")
        raw.setdefault(section, {})[key] = _setting(value)
    return _made(raw, "", "the arguments")


def _setting(text: str) -> Any:
    """A value in TOML; a bare word is a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def dumps(recipe: Recipe) -> str:
    """The resolved recipe as TOML: every key, defaults too."""
    lines = [f"# Resolved by allmende {__version__}: every key with the value that was used."]
    for section, values in msgspec.to_builtins(recipe).items():
        lines += ["", f"[{section}]"]
        lines += [f"{name} = {toml_value(value)}" for name, value in values.items()]
    return "\n".join(lines) + "\n"


def template(name: str, chosen: dict[str, dict[str, Any]]) -> str:
    """A commented recipe to start from: chosen keys are set.

    All others that count for its kind of dataset are there, commented out, with their default.
    """
    kind = chosen.get("dataset", {}).get("kind", "images")
    own = _OF_TEXT if kind == "text" else {}
    active = {**chosen, "dataset": {"name": name, "contact": "", **chosen.get("dataset", {})}}
    lines = [
        f"# Recipe of the dataset {name}. Build it:  allmende build {name}.toml",
        "# Lines that start with #: show the default; remove the # to change it.",
    ]
    current = ""
    for key in all_keys(kind):
        if key.section != current:
            current = key.section
            lines += ["", f"[{key.section}]", f"# {_sections()[current].__doc__}"]
        limits = key.type if '"' in key.type else key.bounds
        lines += ["", f"# {key.description}" + (f" ({limits})" if limits else "")]
        values = active.get(key.section, {})
        default = own.get(key.section, {}).get(key.name, key.default)
        line = f"{key.name} = {toml_value(values.get(key.name, default))}"
        lines.append(line if key.name in values else f"#: {line}")
    return "\n".join(lines) + "\n"


def all_keys(of: str = "") -> Iterator[Key]:
    """Every key of a recipe, in order of the file; or those that count for a kind of dataset."""
    for section, kind in _sections().items():
        if of and section not in SECTIONS[of]:
            continue
        silent = _NOT_FOR_TEXT.get(section, set()) if of == "text" else set()
        hints = get_type_hints(kind, include_extras=True)
        for field in msgspec.structs.fields(kind):
            if field.encode_name in silent:
                continue
            hint, meta = get_args(hints[field.name])
            default = "" if field.required else field.default
            yield Key(section, field.encode_name, _type_name(hint), _bounds(meta), default, meta.description)


def digest(recipe: Recipe, keys: dict[str, frozenset[str]]) -> str:
    """Fingerprint of some sections of a recipe, without the keys named for each section."""
    values = msgspec.to_builtins(recipe)
    chosen = {s: {k: v for k, v in values[s].items() if k not in without} for s, without in keys.items()}
    return sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()[:16]


def changed_keys(old: Recipe, new: Recipe) -> list[str]:
    """Keys whose values differ, as `section.key: old → new`."""
    before, after = msgspec.to_builtins(old), msgspec.to_builtins(new)
    return [
        f"{section}.{key}: {toml_value(before[section][key])} → {toml_value(value)}"
        for section, values in after.items()
        for key, value in values.items()
        if before[section][key] != value
    ]


def _sections() -> dict[str, type[Section]]:
    return {field.name: field.type for field in msgspec.structs.fields(Recipe)}


def toml_value(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    return json.dumps(value, ensure_ascii=False)


def _type_name(hint: Any) -> str:
    if get_origin(hint) is tuple:
        return f"list of {_type_name(get_args(hint)[0])}"
    if get_origin(hint) is Annotated:
        return _type_name(get_args(hint)[0])
    choices = get_args(hint)
    if choices:
        return " | ".join(f'"{choice}"' for choice in choices)
    return {"str": "string", "int": "integer", "float": "number", "bool": "true or false"}[hint.__name__]


def _bounds(meta: msgspec.Meta) -> str:
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    return " and ".join(f"{sign} {getattr(meta, n)}" for n, sign in signs.items() if getattr(meta, n) is not None)


def _explain(message: str, text: str, where: str) -> str:
    """Adds the line to msgspec's message, which ends in `- at `$.section.key``."""
    problem, _, path = message.partition(" - at `$")
    section, _, key = path.strip("`.").partition(".")
    unknown = re.search(r"unknown field `(.+)`", problem)
    missing = re.search(r"missing required field `(.+)`", problem)
    if unknown:
        name = unknown[1]
        key = name if section else ""
        place, known = (f"[{section}] {name}", _names(section)) if section else (f"[{name}]", list(_sections()))
        section = section or name
        problem = f"{place}: no such key. There are: {', '.join(known)}"
    elif missing:
        problem = f"[{section or missing[1]}] lacks {missing[1] if section else 'a name'}"
    else:
        problem = f"[{section}] {key}: {problem}"
    line = _line_of(text, section, re.split(r"[.\[]", key)[0])
    return f"{where}{f', line {line}' if line else ''}: {problem}."


def _names(section: str) -> list[str]:
    return [f.encode_name for f in msgspec.structs.fields(_sections()[section])]


def _line_of(text: str, section: str, key: str) -> int:
    inside, header = False, 0
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*\[", line):
            inside = bool(re.match(rf"\s*\[\s*{re.escape(section)}\s*\]", line))
            header = number if inside else header
        elif inside and key and re.match(rf"\s*\"?{re.escape(key)}\"?\s*=", line):
            return number
    return header
