"""Which columns of the user's own go through a build of a URL table. A file of its own, since a release asks, too."""

from allmende.lake import Lake


def kept_columns(lake: Lake) -> dict[str, str]:
    """Columns that `select.keep_columns` asked for, and their kinds; none unless a dataset was made of URL tables."""
    plan = lake.step("candidates").read_plan()
    kept: dict[str, str] = next(iter(plan.parts.values()), {}).get("kept", {}) if plan else {}
    return kept
