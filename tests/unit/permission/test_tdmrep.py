import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.permission import tdmrep
from allmende.permission.signal import Signal

HOST = "https://provider.com"
FILE_URL = HOST + tdmrep.PATH


def says(rules, path):
    body = rules if isinstance(rules, bytes) else json.dumps(rules).encode()
    signal = tdmrep.file_signal(tdmrep.read_file(body), HOST + path, FILE_URL)
    return signal and signal.says


SITE = [{"location": "/", "tdm-reservation": 1}]
GROUPS = [
    {"location": "/directory-a/", "tdm-reservation": 1},
    {
        "location": "/directory-b/html/",
        "tdm-reservation": 1,
        "tdm-policy": "https://provider.com/policies/policy.json",
    },
    {"location": "/directory-b/images/*.jpg", "tdm-reservation": 0},
]


@pytest.mark.parametrize(
    ("rules", "path", "expected"),
    [
        # The examples of the specification, section "TDM File on the Origin Server"
        (SITE, "/", "deny"),
        (SITE, "/any/file.jpg", "deny"),
        (GROUPS, "/directory-a/paper.pdf", "deny"),
        (GROUPS, "/directory-b/html/a.html", "deny"),
        (GROUPS, "/directory-b/images/x/a.jpg", "allow"),
        (GROUPS, "/directory-b/images/a.png", None),
        (GROUPS, "/Directory-A/paper.pdf", None),
        ([{"location": "/this/path/exactly$", "tdm-reservation": 1}], "/this/path/exactly", "deny"),
        ([{"location": "/this/path/exactly$", "tdm-reservation": 1}], "/this/path/exactly/", None),
        ([{"location": "/this/*/then", "tdm-reservation": 1}], "/this/one/and/then/more", "deny"),
        ([{"location": "/path/foo-%24", "tdm-reservation": 1}], "/path/foo-$", "deny"),
        # The first in sequence counts
        ([{"location": "/a/", "tdm-reservation": 0}, *SITE], "/a/b.jpg", "allow"),
        ([*SITE, {"location": "/a/", "tdm-reservation": 0}], "/a/b.jpg", "deny"),
        # Percent-encoding
        ([{"location": "/ä/%7Eb", "tdm-reservation": 1}], "/%c3%a4/~b", "deny"),
        ([{"location": "/a/*.jpg$", "tdm-reservation": 1}], "/a/b.jpg?c", None),
        # Locations as people write them
        ([{"location": "*", "tdm-reservation": 1}], "/a", "deny"),
        ([{"location": "a/", "tdm-reservation": 1}], "/a/b", "deny"),
        ([{"location": "https://Provider.com/a/", "tdm-reservation": 1}], "/a/b", "deny"),
        ([{"location": "https://provider.com", "tdm-reservation": 1}], "/a/b", "deny"),
        ([{"location": "https://other.com/a/", "tdm-reservation": 1}], "/a/b", None),
    ],
)
def test_rules_of_the_file(rules, path, expected):
    assert says(rules, path) == expected


@pytest.mark.parametrize("value", [2, -1, "0", "yes", True, False, None, [], {}, 0.5])
def test_other_values_are_unset_and_kept_as_unknown(value):
    assert says([{"location": "/", "tdm-reservation": value}, *SITE], "/a") == "unknown"


def test_a_number_in_quotation_marks_reserves_in_doubt():
    assert says([{"location": "/", "tdm-reservation": "1"}], "/a") == "deny"
    assert says([{"location": "/", "tdm-reservation": 1.0}], "/a") == "deny"


@pytest.mark.parametrize(
    "body",
    [
        b'{"location": "/", "tdm-reservation": 0}',
        b'[{"location": "/", "tdm-reservation": 0}',
        b"tdm-reservation: 0",
        b"null",
        b"1",
        b'[{"tdm-reservation": 0}]',
        b'[{"location": 1, "tdm-reservation": 0}]',
        b"[0]",
        b"[" * 100_000,
        b"[" + b" " * tdmrep.MAX_BYTES + b"]",
        b'[{"location": "/\\ud800", "tdm-reservation": 0}]',
    ],
)
def test_what_is_malformed_is_unknown(body):
    assert says(body, "/a") == "unknown"


@pytest.mark.parametrize(
    "body", [b"", b" \n", b"<!DOCTYPE html><title>Not found</title>", b"\xef\xbb\xbf<html>", b"[]"]
)
def test_a_host_without_the_file_says_nothing(body):
    assert says(body, "/a") is None


def test_a_signal_tells_its_rule():
    body = b'\xef\xbb\xbf[{"location":"/","tdm-reservation":1,"tdm-policy":"https://p.example/\\ud800"}]'
    signal = tdmrep.file_signal(tdmrep.read_file(body), f"{HOST}/a", FILE_URL)
    value = '{"location": "/", "tdm-reservation": 1, "tdm-policy": "https://p.example/?"}'
    assert signal == Signal(name="tdmrep", says="deny", value=value, url=FILE_URL)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1"], "deny"),
        ([" 1 "], "deny"),
        (["0"], "allow"),
        (["0, 0"], "allow"),
        (["0, 1"], "deny"),
        (["0", "1"], "deny"),
        (["0", "x"], "unknown"),
        (["true"], "unknown"),
        (["01"], "unknown"),
        ([""], None),
        ([], None),
    ],
)
def test_headers_and_tags(values, expected):
    signal = tdmrep.value_signal(values, tdmrep.HEADER)
    assert (signal and signal.says) == expected


def test_the_policy_is_kept_beside_the_value():
    assert tdmrep.value_signal("1", tdmrep.META, policy="https://p").value == "1; policy=https://p"


def signal(kind, place):
    field = {"file": "", "header": tdmrep.HEADER, "meta": tdmrep.META, "xmp": tdmrep.XMP}[place]
    return Signal(name="tdmrep", says=kind, value=place, field=field)


def combined(*told):
    return [found.says for found in tdmrep.combine(signal(kind, place) for place, kind in told)]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([("file", "deny")], ["deny"]),
        ([("file", "deny"), ("header", "allow")], ["allow", "allow"]),
        ([("header", "deny"), ("file", "allow")], ["deny", "deny"]),
        ([("file", "deny"), ("header", "allow"), ("xmp", "deny")], ["deny", "deny", "deny"]),
        ([("file", "deny"), ("header", "allow"), ("meta", "allow")], ["allow"] * 3),
        # Absence resets nothing, and neither does a protocol error
        ([("file", "deny"), ("header", "unknown")], ["deny", "unknown"]),
        ([("header", "unknown")], ["unknown"]),
        # In one place, 1 counts
        ([("header", "allow"), ("header", "deny")], ["allow", "deny"]),
        ([("file", "allow"), ("header", "allow"), ("header", "deny")], ["deny", "allow", "deny"]),
        ([], []),
    ],
)
def test_priorities(told, expected):
    assert combined(*told) == expected


def test_what_is_overridden_says_so_and_others_are_left_alone():
    other = Signal(name="noai", says="deny", value="noai")
    file, header, same = tdmrep.combine([signal("deny", "file"), signal("allow", "header"), other])
    assert (file.field, file.value, file.says) == ("overridden by header:tdm-reservation", "file", "allow")
    assert header == signal("allow", "header")
    assert same is other
    fields = [found.field for found in tdmrep.combine([file, header, signal("deny", "xmp")])]
    assert fields == [
        "overridden by xmp:tdm:reservation",
        "header:tdm-reservation; overridden by xmp:tdm:reservation",
        "xmp:tdm:reservation",
    ]


places = st.sampled_from(["file", "header", "meta", "xmp"])
told = st.lists(st.tuples(places, st.sampled_from(["deny", "allow", "unknown"])), max_size=6)


@given(told)
def test_the_highest_place_that_says_anything_decides(told):
    found = tdmrep.combine([signal(kind, place) for place, kind in told])
    assert tdmrep.combine(found) == found
    assert len(found) == len(told)
    order = {"file": 0, "header": 1, "meta": 2, "xmp": 2}
    spoken = [(order[place], kind) for place, kind in told if kind != "unknown"]
    top = {kind for place, kind in spoken if place == max(spoken)[0]}
    assert any(s.says == "deny" for s in found) == ("deny" in top)


@given(told, st.sampled_from(["deny", "unknown"]), places)
def test_a_reservation_more_never_turns_a_denial_into_a_permission(told, kind, place):
    if "deny" in combined(*told):
        assert "deny" in combined(*told, (place, kind))


rules = st.fixed_dictionaries(
    {},
    optional={
        "location": st.sampled_from(["/", "/a", "/a/*.jpg$", "*", 3, ""]),
        "tdm-reservation": st.sampled_from([0, 1, 2, "1", None]),
    },
)


@given(st.lists(rules), rules)
def test_a_rule_at_the_end_changes_nothing_that_is_decided(some, another):
    before = says(some, "/a/b.jpg")
    assert before is None or says([*some, another], "/a/b.jpg") == before


@given(st.binary(), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists), st.text())
def test_any_body(body, value, path):
    assert says(body, "/a") in (None, "deny", "unknown")
    assert says([{"location": path, "tdm-reservation": value}], "/a") in (None, "deny", "unknown", "allow")
    assert says(value if isinstance(value, list) else [value], "/a") in (None, "unknown")
