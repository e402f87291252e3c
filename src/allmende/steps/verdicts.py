"""The columns of permission: what was read about a row's file, under which policy, and what came of it."""

from typing import Any

import msgspec
import pyarrow as pa

from allmende.media.sample import ImageSample
from allmende.permission import page
from allmende.permission.gate import LICENCE_LINKS, judge
from allmende.permission.policy import Policy
from allmende.permission.signal import Signal
from allmende.schema import PERMISSION_FACTS, Reason

ALLOWED = "allowed"

Signals = tuple[Signal, ...]


class PageSignals:
    """The screen of reservations: of the page before a request, in the file itself afterwards.

    Args:
        policy: Decides.
    """

    def __init__(self, policy: Policy):
        self._policy = policy

    def before(self, rows: pa.Table) -> pa.Array:
        """See `Screen.before`. A licence that is only named decides nothing yet: it is read before the request."""
        denied = pa.array([self._denies(signals) for signals in page_signals(self._policy, rows)], pa.bool_())
        return pa.array([str(Reason.PERMISSION_DENIED) if deny else None for deny in denied.to_pylist()], pa.string())

    def after(self, url: str, found: ImageSample) -> Reason | None:
        """See `Screen.after`."""
        return None if judge(self._policy, found.signals).allowed else Reason.PERMISSION_DENIED

    def _denies(self, signals: Signals) -> bool:
        stated = [signal for signal in signals if signal.field not in LICENCE_LINKS]
        return bool(stated) and not judge(self._policy, stated).allowed


def page_signals(policy: Policy, rows: pa.Table) -> list[Signals]:
    """What the pages of rows say about their images, as far as the policy heeds it."""
    if not len(rows):  # Arrow's indices_nonzero takes the process down on a chunked array without values (25.0.1)
        return []
    found = page.page_signals_column(rows, agents=policy.ai_agents)
    return [tuple(s for s in signals if policy.heeds(s.name)) if signals else () for signals in found]


def permission_columns(policy: Policy, rows: pa.Table, told: list[Signals | None]) -> dict[str, Any]:
    """Columns of `schema.PERMISSION_FACTS`.

    Args:
        policy: Decides.
        rows: In `schema.CANDIDATES`.
        told: For each row what was read beside its page; None where nobody was asked, and nothing was judged.
    """
    signals: list[list[dict[str, Any]] | None] = []
    verdicts: list[str | None] = []
    encoded: dict[Signal, dict[str, Any]] = {}
    for of_page, others in zip(page_signals(policy, rows), told, strict=True):
        if others is None:
            signals.append(None)
            verdicts.append(None)
            continue
        verdict = judge(policy, of_page + others)
        verdicts.append(ALLOWED if verdict.allowed else verdict.signal)
        signals.append([encoded.setdefault(s, msgspec.structs.asdict(s)) for s in verdict.signals or ()])
    labels = [None if verdict is None else policy.label for verdict in verdicts]
    kinds = {field.name: field.type for field in PERMISSION_FACTS}
    columns = {"signals": signals, "policy": labels, "verdict": verdicts}
    return {name: pa.array(values, kinds[name]) for name, values in columns.items()}
