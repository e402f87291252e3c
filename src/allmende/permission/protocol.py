"""The seam: what the fetch asks, and what it gets."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Protocol

import msgspec

from allmende.permission.signal import Signal
from allmende.reason import Reason

Headers = Mapping[str, Sequence[str]]
"""Header names in lower case, each with its raw values in the order received."""


class Verdict(msgspec.Struct, frozen=True):
    """May the file be taken? And if not, which signal says so?"""

    allowed: bool
    signal: str = ""
    """Where the reservation stands: x-robots-tag, robots.txt, ...; empty if there is none."""
    detail: str = ""
    """The part of it that decided, as written."""
    signals: tuple[Signal, ...] | None = ()
    """Everything that was read, whatever it says: the evidence, which is stored with the row. None if nobody could be
    asked, and nothing was judged."""
    reason: Reason = Reason.PERMISSION_DENIED
    """What becomes of a file that is not allowed. Another one than PERMISSION_DENIED if nobody could be asked."""


ALLOWED = Verdict(True)


class Permission(Protocol):
    """Hears what a server reserves.

    Both calls must be monotone: a signal more never turns a denial into a permission. In doubt they deny.
    """

    def before(self, url: str) -> Verdict | Awaitable[Verdict]:
        """May the URL be requested? Called for each URL and each redirect target, before anything is sent.

        An answer that takes time (a robots.txt that must be fetched first) is an awaitable; the URL's turn comes
        when it is there, and others go ahead meanwhile.
        """

    def after(self, url: str, headers: Headers) -> Verdict | Awaitable[Verdict]:
        """May the file be taken? Called with the headers of a good response, before its body is read.

        An answer that takes time is an awaitable here, too: the response is given up, and the URL is asked for again if it
        is a permission. The second answer should be known by then.

        Args:
            url: That answered, after redirects.
            headers: All of them.
        """


class AllowAll:
    """Says yes to everything and reads nothing: for what exists to be asked, such as robots.txt or a registry."""

    def before(self, url: str) -> Verdict:
        """See `Permission.before`."""
        return ALLOWED

    def after(self, url: str, headers: Headers) -> Verdict:
        """See `Permission.after`."""
        return ALLOWED
