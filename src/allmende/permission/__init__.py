"""The room of permission: machine-readable signals in, a verdict out.

A `Permission` is asked twice about each URL: before its request, and with the response's headers before the body is
read. `Gate` is the one that asks hosts for their files and obeys a `Policy`. The raw signals are stored with the row,
so that a verdict can be made anew without asking the server again (`judge`).
"""

from typing import TYPE_CHECKING, Any

from allmende.permission.policy import Policy
from allmende.permission.protocol import ALLOWED, Headers, Permission, Verdict
from allmende.permission.signal import Signal

if TYPE_CHECKING:
    from allmende.permission.gate import Gate, judge

__all__ = ["ALLOWED", "Gate", "Headers", "Permission", "Policy", "Signal", "Verdict", "judge"]


def __getattr__(name: str) -> Any:
    """`Gate` and `judge` on first use: decoder processes import `Signal` from here, and should start fast."""
    if name in {"Gate", "judge"}:
        from allmende.permission import gate

        return getattr(gate, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
