"""The seam for everything that keeps a row or a file out beside what the fetch and the decoder find.

Take-downs, lists, the page's own reservations, captions seen too often.

A screen looks twice: at rows before anything is requested, and at a file once its hashes are known.
"""

from typing import Protocol

import pyarrow as pa

from allmende.media.sample import ImageSample
from allmende.schema import Reason


class Screen(Protocol):
    """Keeps things out. Both calls are pure: the same rows get the same answer, whatever came before."""

    def before(self, rows: pa.Table) -> pa.Array:
        """Why rows are dropped before they cost a request.

        Args:
            rows: In `schema.CANDIDATES`.

        Returns:
            A string array of the same length: a value of `Reason`, or null for a row that goes on.
        """

    def after(self, url: str, found: ImageSample) -> Reason | None:
        """Why a file is dropped although it was fetched and decoded; None if it stays.

        Args:
            url: As it was asked for.
            found: With its hashes, and the signals that stood in the file.
        """


def drop_before(screens: tuple[Screen, ...], rows: pa.Table) -> tuple[pa.Table, pa.Table, pa.Array]:
    """Asks the screens in their order; the first that drops a row gives the reason.

    Returns:
        Rows that go on, rows that are dropped, and the reasons of these.
    """
    reasons: list[str | None] = [None] * len(rows)
    for screen in screens:
        for index, reason in enumerate(screen.before(rows).to_pylist()):
            reasons[index] = reasons[index] or reason
    dropped = pa.array([reason is not None for reason in reasons], pa.bool_())
    going = pa.array([reason is None for reason in reasons], pa.bool_())
    return rows.filter(going), rows.filter(dropped), pa.array([r for r in reasons if r is not None], pa.string())
