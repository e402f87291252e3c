"""What a target of fuzzing is."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """A parser to be fuzzed."""

    run: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    """Real inputs to start from."""
    words: tuple[bytes, ...] = ()
    """What the format is made of; put into inputs now and then."""
