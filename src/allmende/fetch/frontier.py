"""Which URL is next: a queue for each host, and the hosts take turns.

A host's queue is ready when its name is resolved, it has room for another request, its spacing is over and it is not
set aside; ready hosts are served in turn, so that one long queue does not hold up the others. Hosts that failed or
answered slowly come first, because they take longest, but never get more than half of all requests: the other half is
out of their reach. Knows nothing of the network; the time is an argument.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from enum import Enum
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

from allmende.fetch.politeness import Host, Signal
from allmende.recipe import Fetch

J = TypeVar("J")

IDLE_HOSTS = 10_000
"""Hosts without URLs that are remembered (about 1 kB each); the longest unused go first."""

_NEVER = float("-inf")

DOUBTFUL_SHARE = 0.5
"""Largest share of all requests that doubtful hosts may hold."""


class _State(Enum):
    IDLE = "nothing to do"
    UNRESOLVED = "waits for addresses"
    BUSY = "waits for one of its requests to end"
    ASLEEP = "waits for a time"
    READY = "may start a request"


class Line(Generic[J]):
    """The URLs that wait for one host."""

    __slots__ = ("addresses", "again", "expires", "fresh", "host", "name", "state", "tried", "wake")

    def __init__(self, name: str, config: Fetch):
        self.name = name
        self.host = Host(config)
        self.fresh: deque[J] = deque()
        self.again: list[tuple[float, int, J]] = []
        """Heap of what is to be tried again: when, running number, job."""
        self.addresses: tuple[str, ...] = ()
        self.expires = _NEVER
        """When the addresses must be looked up anew."""
        self.tried = 0
        """Failed connections: the next one tries the next address."""
        self.state = _State.IDLE
        self.wake = _NEVER
        """Of the entry in the frontier's heap that wakes this line."""

    @property
    def address(self) -> str:
        """The address that the next request goes to."""
        return self.addresses[self.tried % len(self.addresses)]

    def due(self, now: float) -> float:
        """When the first job may be tried, as far as the jobs themselves go. Fresh ones are tried before failed ones."""
        return now if self.fresh else self.again[0][0]

    def pop(self) -> J:
        """The next job."""
        return self.fresh.popleft() if self.fresh else heappop(self.again)[2]

    def clear(self) -> list[J]:
        """All jobs, in the order in which they would have been tried; the line is empty afterwards."""
        jobs = [*self.fresh, *(entry[2] for entry in sorted(self.again, key=lambda entry: entry[:2]))]
        self.fresh.clear()
        self.again.clear()
        return jobs

    def __bool__(self) -> bool:
        return bool(self.fresh or self.again)


class Turn(Generic[J]):
    """One request of one host: what `pick` gives out and `ended` takes back."""

    __slots__ = ("address", "doubtful", "job", "line", "opened", "started")

    def __init__(self, line: Line[J], started: float):
        self.opened = line.host.opens
        self.line = line
        self.job = line.pop()
        self.address = line.address
        self.started = started
        self.doubtful = line.host.doubtful


class Frontier(Generic[J]):
    """Jobs in, turns out.

    Args:
        config: `fetch` of the recipe.
    """

    def __init__(self, config: Fetch):
        self._config = config
        self._lines: dict[str, Line[J]] = {}
        self._idle: OrderedDict[str, None] = OrderedDict()
        self._ready: deque[Line[J]] = deque()
        self._doubtful: deque[Line[J]] = deque()
        self._asleep: list[tuple[float, int, Line[J]]] = []
        self._unresolved: list[Line[J]] = []
        self._number = 0
        self._doubtful_room = max(1, int(config.concurrency * DOUBTFUL_SHARE))

    def __len__(self) -> int:
        """Hosts remembered."""
        return len(self._lines)

    def add(self, name: str, job: J, now: float, *, first: bool = False) -> bool:
        """Queues a job for a host; False if the host is set aside. `first` puts it before the others."""
        line = self._line(name)
        if line.host.aside(now):
            self._settle(line, now)
            return False
        if first:
            line.fresh.appendleft(job)
        else:
            line.fresh.append(job)
        self._settle(line, now)
        return True

    def add_again(self, name: str, job: J, when: float, now: float) -> bool:
        """Queues a job that has failed, not to be tried before `when`; False if the host is set aside."""
        line = self._line(name)
        if line.host.aside(now):
            self._settle(line, now)
            return False
        self._number += 1
        heappush(line.again, (when, self._number, job))
        self._settle(line, now)
        return True

    def pick(self, now: float) -> Turn[J] | None:
        """The next request to start, if one may start now."""
        self._wake(now)
        while self._doubtful_room > 0 and self._doubtful:
            if turn := self._take(self._doubtful.popleft(), now):
                return turn
        while self._ready:
            if turn := self._take(self._ready.popleft(), now):
                return turn
        return None

    def ended(self, turn: Turn[J], what: Signal, now: float, retry_after: float | None = None) -> list[J]:
        """Takes a turn back. Returns the jobs to give up because the host is set aside now."""
        self._doubtful_room += turn.doubtful
        line = turn.line
        line.host.ended(what, turn.started, now, retry_after)
        line.tried += what is Signal.DEAD
        given_up = line.clear() if line.host.aside(now) else []
        self._settle(line, now)
        return given_up

    def give_back(self, turn: Turn[J], now: float) -> None:
        """Takes a turn back whose request was never sent. Its job is the caller's."""
        self._doubtful_room += turn.doubtful
        turn.line.host.running -= 1
        turn.line.host.opens = turn.opened
        self._settle(turn.line, now)

    def take_unresolved(self) -> list[Line[J]]:
        """Lines that need addresses, each once; `resolved` or `unresolvable` must follow for each."""
        lines, self._unresolved = self._unresolved, []
        return lines

    def resolved(self, line: Line[J], addresses: tuple[str, ...], expires: float, now: float) -> None:
        """The addresses of a line, all of them permitted, and how long they may be used."""
        if line.addresses != addresses:
            line.addresses, line.tried = addresses, 0
        line.expires = max(expires, now + 1.0)  # lets at least the requests that wait go out
        line.state = _State.IDLE
        self._settle(line, now)

    def unresolvable(self, line: Line[J], now: float) -> list[J]:
        """A line that can't be asked. Returns its jobs."""
        jobs = line.clear()
        line.state = _State.IDLE
        self._settle(line, now)
        return jobs

    def wakes(self) -> float | None:
        """When `pick` should be called again although nothing has happened."""
        while self._asleep and not self._sleeps(self._asleep[0]):
            self._rouse()
        return self._asleep[0][0] if self._asleep else None

    def discard(self, unwanted: Callable[[J], bool]) -> None:
        """Forgets jobs."""
        for line in list(self._lines.values()):
            if line:
                line.fresh = deque(job for job in line.fresh if not unwanted(job))
                line.again = [entry for entry in line.again if not unwanted(entry[2])]
                heapify(line.again)

    def _line(self, name: str) -> Line[J]:
        line = self._lines.get(name)
        if line is None:
            line = self._lines[name] = Line(name, self._config)
        self._idle.pop(name, None)
        return line

    def _take(self, line: Line[J], now: float) -> Turn[J] | None:
        """A turn of a line that was ready, if it still is."""
        line.state = _State.IDLE
        if self._place(line, now) is not _State.READY:
            self._settle(line, now)
            return None
        turn = Turn(line, now)
        self._doubtful_room -= turn.doubtful
        line.host.started(now)
        self._settle(line, now)
        return turn

    def _settle(self, line: Line[J], now: float) -> None:
        """Puts a line where it belongs, unless it stands in a queue that will look at it anyway."""
        if line.state in (_State.UNRESOLVED, _State.READY):
            return
        line.state = self._place(line, now)
        if line.state is _State.READY:
            (self._doubtful if line.host.doubtful else self._ready).append(line)
        elif line.state is _State.UNRESOLVED:
            self._unresolved.append(line)
        elif line.state is _State.ASLEEP:
            wake = max(line.host.opens, line.due(now))
            if wake != line.wake:
                line.wake = wake
                self._number += 1
                heappush(self._asleep, (wake, self._number, line))
        elif line.state is _State.IDLE and not line.host.running:
            self._rest(line)

    def _place(self, line: Line[J], now: float) -> _State:
        if not line:
            return _State.IDLE
        if line.host.room <= 0:
            return _State.BUSY
        if line.host.opens > now or line.due(now) > now:
            return _State.ASLEEP
        return _State.UNRESOLVED if line.expires <= now else _State.READY

    def _rest(self, line: Line[J]) -> None:
        """Remembers an idle host for a while: its anger should outlast the moment in which no URL of it is waiting."""
        self._idle[line.name] = None
        self._idle.move_to_end(line.name)
        if len(self._idle) > IDLE_HOSTS:
            name, _ = self._idle.popitem(last=False)
            del self._lines[name]

    def _wake(self, now: float) -> None:
        while self._asleep and self._asleep[0][0] <= now:
            self._settle(self._rouse(), now)

    def _rouse(self) -> Line[J]:
        """Takes the first entry from the heap; whoever still sleeps must be put back by `_settle`."""
        wake, _, line = heappop(self._asleep)
        if line.wake == wake:
            line.wake = _NEVER
        return line

    @staticmethod
    def _sleeps(entry: tuple[float, int, "Line[J]"]) -> bool:
        wake, _, line = entry
        return line.state is _State.ASLEEP and line.wake == wake
