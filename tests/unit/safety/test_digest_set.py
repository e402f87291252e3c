import hypothesis.strategies as st
from hypothesis import given

from allmende.safety.digest_set import DigestSet

# Few first bytes, so that many digests share their beginning.
digests = st.tuples(st.sampled_from([b"\0" * 8, b"\xff" * 8, b"\0" * 7 + b"\1"]), st.binary(min_size=2, max_size=2))
digests = digests.map(b"".join)


@given(st.lists(digests), st.lists(digests))
def test_has_what_a_set_has(held, asked):
    found = DigestSet(b"".join(held), 10)
    assert found.has(asked).tolist() == [digest in set(held) for digest in asked]
    assert (len(found), found.memory) == (len(held), 10 * len(held))


def test_digests_of_eight_bytes():
    assert DigestSet(b"12345678", 8).has([b"12345678", b"12345679"]).tolist() == [True, False]
