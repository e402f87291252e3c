from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.fetch.budget import FIRST_CLAIM, Budget, Claim

LARGEST = 3 * FIRST_CLAIM


class Receiver:
    """A body of a known or unknown size that claims as `Body` does, until it has all of it."""

    def __init__(self, budget: Budget, size: int, known: bool):
        self.budget, self.size, self.known = budget, size, known
        self.claim = Claim()
        self.whole = False

    def go_on(self) -> None:
        held = self.claim.held
        if held >= self.size:
            self.whole = True
            self.budget.settle(self.claim, self.size)
        elif self.known:
            self.again(self.budget.claim(self.claim, self.size, self.go_on))
        elif not held:
            self.again(self.budget.claim_first(self.claim, self.go_on))
        else:
            self.again(self.budget.claim(self.claim, LARGEST, self.go_on))

    def again(self, granted: bool) -> None:
        if granted:
            self.go_on()


bodies = st.lists(st.tuples(st.integers(1, LARGEST), st.booleans()), max_size=30)


@settings(max_examples=300)
@given(bodies, st.integers(LARGEST, 4 * LARGEST), st.data())
def test_the_total_is_never_exceeded_and_everybody_is_served(sizes, total, data):
    budget = Budget(total, LARGEST)
    receivers = [Receiver(budget, size, known) for size, known in sizes]
    for receiver in receivers:
        receiver.go_on()
        assert budget.held <= total
    while receivers:
        served = [receiver for receiver in receivers if receiver.whole]
        assert served, "deadlock"
        receiver = data.draw(st.sampled_from(served))
        receivers.remove(receiver)
        budget.release(receiver.claim)
        assert budget.held <= total
    assert budget.held == 0
    assert not budget.waiting


@given(bodies, st.data())
def test_whoever_leaves_early_leaves_nothing_behind(sizes, data):
    budget = Budget(2 * LARGEST, LARGEST)
    receivers = [Receiver(budget, size, known) for size, known in sizes]
    for receiver in receivers:
        receiver.go_on()
    for receiver in data.draw(st.permutations(receivers)):
        budget.release(receiver.claim)
        budget.release(receiver.claim)
        assert 0 <= budget.held <= 2 * LARGEST
    assert budget.held == 0
    assert not budget.waiting


def test_who_waits_is_served_in_order():
    budget = Budget(100, 100)
    served = []
    claims = [Claim() for _ in range(4)]
    for number, claim in enumerate(claims):
        if budget.claim(claim, 60, lambda number=number: served.append(number)):
            served.append(number)
    assert served == [0]
    assert budget.waiting
    for claim in claims:
        budget.release(claim)
    assert served == [0, 1, 2, 3]
