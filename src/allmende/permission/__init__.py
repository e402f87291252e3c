"""The room of permission: machine-readable signals in, a verdict out.

A `Permission` is asked twice about each URL: before its request, and with the response's headers before the body is
read. Here only `X-Robots-Tag` is heard; robots.txt, TDMRep and the like find their place behind the same two calls.
The raw signals are stored with the row, so that a verdict can be made anew without asking the server again.
"""

from allmende.permission.policy import Policy
from allmende.permission.protocol import ALLOWED, Headers, Permission, Verdict
from allmende.permission.signal import Signal
from allmende.permission.x_robots_tag import XRobotsTag

__all__ = ["ALLOWED", "Headers", "Permission", "Policy", "Signal", "Verdict", "XRobotsTag"]
