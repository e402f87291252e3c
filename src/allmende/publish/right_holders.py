"""`release/rights/`: what people need whose pictures may be in the dataset. A page, and the same for machines.

Every project that re-publishes links was asked these questions, and answered them by hand if at all: what is this, how do
I stay out, how do I get something out, and is it in there in the first place? The page goes to the project's website as it
is; the JSON belongs under `/.well-known/`, where a crawler of rights holders would look for it (RFC 8615; the name
is not registered).
"""

import re
from typing import Any

import msgspec

from allmende.permission.policy import SIGNALS, from_recipe
from allmende.publish.report import environment, source_line
from allmende.recipe import Recipe

WELL_KNOWN = "dataset-rights.json"
"""File name, and the last part of `/.well-known/dataset-rights.json`."""

_is_mail = re.compile(r"[^@\s/:]+@[^@\s/:]+\.[^@\s/:]+").fullmatch


class Respected(msgspec.Struct, frozen=True):
    """A signal, and what this dataset does about it."""

    name: str
    where: str
    reserves: str
    specification: str
    action: str
    """deny, allow or ignore."""


def respected(recipe: Recipe) -> tuple[Respected, ...]:
    """All signals, those that are obeyed first."""
    policy = from_recipe(recipe.permission)
    rows = [Respected(k.name, k.where, k.reserves, k.specification, policy.actions[k.name]) for k in SIGNALS]
    return tuple(sorted(rows, key=lambda row: ("deny", "allow", "ignore").index(row.action)))


def contact_url(contact: str) -> str:
    """What a contact links to: `mailto:` for a mail address, itself for a web address, empty for anything else."""
    if _is_mail(contact):
        return f"mailto:{contact}"
    return contact if contact.startswith(("https://", "http://")) else ""


def rights_html(recipe: Recipe) -> str:
    """The page."""
    page = environment().get_template("rights.html.j2")
    return page.render(
        recipe=recipe,
        policy=from_recipe(recipe.permission).label,
        source=source_line(recipe),
        signals=respected(recipe),
        contact_url=contact_url(recipe.dataset.contact),
        well_known=WELL_KNOWN,
        samples=_COLUMNS[recipe.publish.sink in {"parquet", "jsonl"}],
    )


def rights_json(recipe: Recipe) -> bytes:
    """The same for machines."""
    dataset = recipe.dataset
    document: dict[str, Any] = {
        "format": 1,
        "dataset": dataset.name,
        "description": dataset.description,
        "source": source_line(recipe),
        "licence": dataset.license,
        "contact": contact_url(dataset.contact) or dataset.contact or None,
        "policy": from_recipe(recipe.permission).label,
        "signals": {row.name: row.action for row in respected(recipe)},
        "removal": {
            "by": ["url", "domain", "sha256", "phash", "uid"],
            "reasons": ["illegal", "privacy", "copyright", "opt-out", "other"],
            "request": contact_url(dataset.contact) or dataset.contact or None,
        },
        "metadata": "shards/*.parquet",
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


_COLUMNS = {False: "the tables beside the shards", True: "the shards themselves, which are tables"}
