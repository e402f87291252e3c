from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from allmende.fetch import frontier as module
from allmende.fetch.frontier import Frontier
from allmende.fetch.politeness import Signal
from allmende.recipe import Fetch

CONFIG = Fetch(concurrency=6, per_host=2, host_failures=3, host_pause_seconds=50.0, host_delay_seconds=1.0)
FOREVER = float("inf")


def resolve_all(frontier: Frontier[str], now: float) -> None:
    for line in frontier.take_unresolved():
        frontier.resolved(line, ("192.0.2.1",), FOREVER, now)


def picks(frontier: Frontier[str], now: float) -> list[str]:
    """Jobs that may start now."""
    jobs = []
    while (turn := frontier.pick(now)) or (lines := frontier.take_unresolved()):
        if turn:
            jobs.append(turn.job)
        else:
            for line in lines:
                frontier.resolved(line, ("192.0.2.1",), FOREVER, now)
    return jobs


def test_hosts_take_turns():
    frontier: Frontier[str] = Frontier(Fetch(per_host=2))
    for job in ("a1", "a2", "a3", "b1", "b2", "c1"):
        frontier.add(job[0], job, 0.0)
    assert picks(frontier, 0.0) == ["a1", "b1", "c1", "a2", "b2"]


def test_one_hosts_long_queue_holds_up_nobody():
    frontier: Frontier[str] = Frontier(Fetch(per_host=1))
    for number in range(10_000):
        frontier.add("long", f"long{number}", 0.0)
    frontier.add("short", "short0", 0.0)
    assert picks(frontier, 0.0) == ["long0", "short0"]


def test_requests_to_a_host_are_spaced():
    frontier: Frontier[str] = Frontier(Fetch(host_delay_seconds=2.0))
    for job in ("a1", "a2", "b1"):
        frontier.add(job[0], job, 10.0)
    assert picks(frontier, 10.0) == ["a1", "b1"]
    assert frontier.wakes() == 12.0
    assert picks(frontier, 11.9) == []
    assert picks(frontier, 12.0) == ["a2"]
    assert frontier.wakes() is None


def test_what_failed_is_tried_after_what_is_fresh_and_not_too_early():
    frontier: Frontier[str] = Frontier(Fetch(per_host=1))
    frontier.add("a", "again", 0.0)
    resolve_all(frontier, 0.0)
    turn = frontier.pick(0.0)
    frontier.add("a", "fresh", 0.0)
    frontier.ended(turn, Signal.GOOD, 1.0)
    frontier.add_again("a", "again", 5.0, 1.0)
    fresh = frontier.pick(6.0)
    assert fresh.job == "fresh"
    frontier.ended(fresh, Signal.GOOD, 6.0)
    assert frontier.pick(6.0).job == "again"


def test_what_failed_waits_and_wakes():
    frontier: Frontier[str] = Frontier(Fetch())
    frontier.add_again("a", "again", 5.0, 1.0)
    assert frontier.wakes() == 5.0
    assert picks(frontier, 4.9) == []
    assert picks(frontier, 5.0) == ["again"]


def test_a_redirect_goes_before_the_others():
    frontier: Frontier[str] = Frontier(Fetch())
    frontier.add("a", "a1", 0.0)
    frontier.add("a", "a0", 0.0, first=True)
    assert picks(frontier, 0.0) == ["a0", "a1"]


def test_a_failed_connection_moves_on_to_the_next_address():
    frontier: Frontier[str] = Frontier(Fetch(per_host=1))
    for number in range(3):
        frontier.add("a", str(number), 0.0)
    (line,) = frontier.take_unresolved()
    frontier.resolved(line, ("192.0.2.1", "192.0.2.2"), FOREVER, 0.0)
    tried = []
    for what in (Signal.DEAD, Signal.GOOD, Signal.DEAD):
        turn = frontier.pick(0.0)
        tried.append(turn.address)
        frontier.ended(turn, what, 0.0)
    assert tried == ["192.0.2.1", "192.0.2.2", "192.0.2.2"]


def test_addresses_are_looked_up_again_when_they_expire():
    frontier: Frontier[str] = Frontier(Fetch())
    frontier.add("a", "1", 0.0)
    (line,) = frontier.take_unresolved()
    frontier.resolved(line, ("192.0.2.1",), 60.0, 0.0)
    assert frontier.pick(0.0)
    frontier.add("a", "2", 60.0)
    assert frontier.pick(60.0) is None
    assert frontier.take_unresolved() == [line]
    assert frontier.take_unresolved() == []


def test_the_jobs_of_a_host_that_can_not_be_resolved_come_back():
    frontier: Frontier[str] = Frontier(Fetch())
    for job in ("1", "2"):
        frontier.add("a", job, 0.0)
    (line,) = frontier.take_unresolved()
    assert frontier.unresolvable(line, 0.0) == ["1", "2"]
    assert frontier.pick(0.0) is None


def test_doubtful_hosts_get_at_most_half_of_all_requests():
    frontier: Frontier[str] = Frontier(Fetch(concurrency=10, per_host=2))
    hosts = [f"slow{i}" for i in range(20)] + [f"good{i}" for i in range(20)]
    for host in hosts:
        frontier.add(host, f"{host} first", 0.0)
    resolve_all(frontier, 0.0)
    while turn := frontier.pick(0.0):
        frontier.ended(turn, Signal.SLOW if "slow" in turn.job else Signal.GOOD, 0.0)
    for host in hosts:
        frontier.add(host, host, 0.0)
    jobs = [frontier.pick(0.0).job for _ in range(10)]
    assert Counter(job[:4] for job in jobs) == {"slow": 5, "good": 5}


def test_hosts_without_work_are_forgotten_at_last(monkeypatch):
    monkeypatch.setattr(module, "IDLE_HOSTS", 100)
    frontier: Frontier[str] = Frontier(Fetch())
    for number in range(5_000):
        frontier.add(f"host{number}", "job", 0.0)
        resolve_all(frontier, 0.0)
        frontier.ended(frontier.pick(0.0), Signal.GOOD, 0.0)
    assert len(frontier) == 100


class Simulation(RuleBasedStateMachine):
    """Whatever happens in whatever order: no job is lost or given out twice, and no limit is exceeded."""

    hosts = st.sampled_from("abcd")

    @initialize()
    def begin(self):
        self.frontier: Frontier[tuple[str, int]] = Frontier(CONFIG)
        self.now = 100.0
        self.number = 0
        self.waiting, self.done = set(), set()
        self.turns, self.unresolved = [], []
        self.last_start = {}

    def new(self, host):
        self.number += 1
        return host, self.number

    def settle(self, jobs):
        for job in jobs:
            self.waiting.remove(job)
            self.done.add(job)

    @rule(host=hosts, first=st.booleans())
    def add(self, host, first):
        job = self.new(host)
        if self.frontier.add(host, job, self.now, first=first):
            self.waiting.add(job)
        else:
            self.done.add(job)

    @rule(host=hosts, wait=st.integers(0, 20))
    def add_again(self, host, wait):
        job = self.new(host)
        if self.frontier.add_again(host, job, self.now + wait, self.now):
            self.waiting.add(job)
        else:
            self.done.add(job)

    @rule(seconds=st.sampled_from([0.1, 1.0, 5.0, 60.0]))
    def wait(self, seconds):
        self.now += seconds

    @rule(lifetime=st.sampled_from([0.0, 30.0, FOREVER]), absent=st.booleans())
    def look_up(self, lifetime, absent):
        self.unresolved += self.frontier.take_unresolved()
        for line in self.unresolved:
            if absent:
                self.settle(self.frontier.unresolvable(line, self.now))
            else:
                self.frontier.resolved(line, ("192.0.2.1",), self.now + lifetime, self.now)
        self.unresolved = []

    @rule()
    def pick(self):
        if len(self.turns) >= CONFIG.concurrency:
            return
        turn = self.frontier.pick(self.now)
        if turn is not None:
            host = turn.job[0]
            self.waiting.remove(turn.job)
            self.turns.append(turn)
            assert not turn.line.host.aside(self.now)
            assert self.now >= self.last_start.get(host, 0) + CONFIG.host_delay_seconds
            self.last_start[host] = self.now

    @precondition(lambda self: self.turns)
    @rule(data=st.data(), what=st.sampled_from(Signal), wait=st.none() | st.integers(0, 100))
    def end(self, data, what, wait):
        turn = self.turns.pop(data.draw(st.integers(0, len(self.turns) - 1)))
        self.done.add(turn.job)
        self.settle(self.frontier.ended(turn, what, self.now, wait))

    @precondition(lambda self: self.turns)
    @rule()
    def give_back(self):
        turn = self.turns.pop()
        self.done.add(turn.job)
        self.frontier.give_back(turn, self.now)
        self.last_start[turn.job[0]] = 0

    @rule(host=hosts)
    def discard(self, host):
        self.frontier.discard(lambda job: job[0] == host)
        self.waiting = {job for job in self.waiting if job[0] != host}

    @invariant()
    def limits_hold(self):
        if hasattr(self, "turns"):
            assert max(Counter(turn.job[0] for turn in self.turns).values(), default=0) <= CONFIG.per_host

    def teardown(self):
        """Everything that still waits comes out in the end, if somebody calls when asked to."""
        if not hasattr(self, "turns"):
            return
        for _ in range(20 * len(self.waiting) + 20):
            for turn in self.turns:
                self.settle(self.frontier.ended(turn, Signal.GOOD, self.now))
            self.turns = []
            self.look_up(FOREVER, absent=False)
            self.pick()
            wake = self.frontier.wakes()
            if not self.turns and wake is not None:
                self.now = max(self.now, wake)
        assert not self.waiting


TestSimulation = Simulation.TestCase
TestSimulation.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
