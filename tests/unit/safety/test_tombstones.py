"""The take-down log can only grow, and only by who has the key."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.errors import RecipeError, Untrusted
from allmende.safety.keys import Signer, make_key, verified
from allmende.safety.tombstones import Log, first_line, next_lines
from allmende.safety.veil import Veil

VEIL = Veil(bytes(range(32)))
SIGNER = Signer(make_key(), "key")
URLS = [f"https://a.example/{i}.jpg" for i in range(5)]


def read(content, **options):
    return Log(io.BytesIO(content), "log.jsonl", **options)


def grown(content, values, reason="privacy"):
    entries = [(kind, VEIL.veiled(kind, value)) for kind, value in values]
    return content + next_lines(read(content), entries, reason, VEIL.ticket("T-1"), "2026-11-22T10:00:00Z", SIGNER)


def made():
    content = grown(first_line(VEIL, SIGNER), [("url", url) for url in URLS])
    return grown(content, [("phash", "ab" * 32), ("domain", "b.example")], "copyright")


LOG = made()
LINES = LOG.splitlines(keepends=True)


def test_a_log_is_read_back():
    log = read(LOG, every_signature=True)
    assert log.entries == 7
    assert log.intact == len(LOG)
    assert bytes(log.hashes["url"]) == b"".join(VEIL.digest("url", url) for url in URLS)
    assert len(log.hashes["phash"]) == 32
    assert log.head() == read(LOG).head()


def test_nothing_in_a_log_tells_what_was_taken_down():
    for word in (b"example", b"ab" * 32, b"T-1"):
        assert word not in LOG


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([LINES[0], LINES[2], LINES[1], *LINES[3:]], id="reordered"),
        pytest.param([*LINES[:3], *LINES[4:]], id="one taken out"),
        pytest.param([LINES[0], *LINES[2:]], id="the first taken out"),
        pytest.param([*LINES[:-1], LINES[-1].replace(b"copyright", b"other")], id="the last edited"),
        pytest.param([LINES[0], LINES[1].replace(b"privacy", b"other"), *LINES[2:]], id="one edited"),
        pytest.param([*LINES, LINES[-1]], id="one repeated"),
        pytest.param([*LINES[:2], b"\n", *LINES[2:]], id="a blank line"),
        pytest.param([*LINES[:2], b"{}\n", *LINES[2:]], id="not an entry"),
        pytest.param(LINES[1:], id="without header"),
        pytest.param([], id="empty"),
        pytest.param([first_line(VEIL, Signer(make_key(), "other")), *LINES[1:]], id="another key"),
    ],
)
def test_a_log_that_was_changed_is_refused(lines):
    with pytest.raises(Untrusted):
        read(b"".join(lines))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(LOG) - 1), st.integers(1, 255))
def test_no_byte_can_be_changed(at, change):
    changed = bytearray(LOG)
    changed[at] ^= change
    try:
        log = read(bytes(changed))
    except Untrusted:
        return
    # Only the last newline can go: then the last entry was never finished.
    assert (log.entries, log.intact) == (6, len(LOG) - len(LINES[-1]))


@given(st.integers(0, len(LOG)))
def test_a_log_cut_by_a_dead_process_keeps_its_whole_lines(length):
    content = LOG[:length]
    whole = content.count(b"\n")
    if not whole:
        with pytest.raises(Untrusted, match="empty"):
            read(content)
        return
    log = read(content)
    assert log.entries == whole - 1
    assert log.intact == content.rfind(b"\n") + 1


def test_entries_cut_off_at_the_end_are_missed_by_who_knew_them():
    head = read(LOG).head()
    read(grown(LOG, [("uid", "1" * 32)])).check_head(head)
    with pytest.raises(Untrusted, match="7 entries, and they are not all there"):
        read(b"".join(LINES[:-1])).check_head(head)
    regrown = grown(b"".join(LINES[:-1]), [("uid", "1" * 32)])
    with pytest.raises(Untrusted, match="not all there"):
        read(regrown).check_head(head)
    with pytest.raises(Untrusted, match="another take-down log"):
        read(first_line(VEIL, Signer(make_key(), "other"))).check_head(head)


def test_who_has_another_key_appends_nothing():
    with pytest.raises(Untrusted, match="another key"):
        next_lines(read(LOG), [("url", "0" * 32)], "other", "", "2026-11-22T10:00:00Z", Signer(make_key(), "x"))


def test_signatures_hold_for_one_purpose_only():
    signature = SIGNER.sign("patch", b"message")
    assert verified(SIGNER.public, "patch", b"message", signature)
    assert not verified(SIGNER.public, "tombstone", b"message", signature)
    assert not verified(SIGNER.public, "patch", b"massage", signature)
    assert not verified("no key", "patch", b"message", signature)
    assert not verified(SIGNER.public, "patch", b"message", "no signature")


def test_a_file_that_is_no_key_is_refused():
    with pytest.raises(RecipeError, match="no private key"):
        Signer(b"nonsense", "signing.key")
