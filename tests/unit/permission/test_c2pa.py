"""C2PA stores: signed by the reference implementation (`tools/make_c2pa_files.py`), built by hand, and damaged."""

import time
from pathlib import Path

import brotli
import cbor2
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.media import packets, probe
from allmende.permission import c2pa

FILES = {path.name: path.read_bytes() for path in sorted(Path(__file__).with_name("c2pa_files").iterdir())}


def stores(body):
    return packets.find(body, probe.probe(body)).c2pa


def said(store):
    return [(signal.says, signal.field, signal.value) for signal in c2pa.signals(store)]


def box(kind, content):
    return (8 + len(content)).to_bytes(4) + kind + content


def superbox(kind, label, *children):
    described = box(b"jumd", kind.ljust(4) + bytes(12) + b"\x03" + label.encode() + b"\0")
    return box(b"jumb", described + b"".join(children))


def manifest(*assertions):
    return superbox(b"c2ma", "urn:c2pa:1", superbox(b"c2as", "c2pa.assertions", *assertions))


def store(*manifests):
    return superbox(b"c2pa", "c2pa", *manifests)


def assertion(data, label="cawg.training-mining", kind=b"cbor"):
    encoded = cbor2.dumps(data) if kind == b"cbor" else msgspec.json.encode(data)
    return superbox(b"cbor", label, box(kind, encoded))


def entries(**uses):
    return {"entries": {f"cawg.{name}": {"use": use} for name, use in uses.items()}}


DENIED = ("deny", "c2pa:cawg.training-mining", "cawg.ai_generative_training: notAllowed, cawg.data_mining: allowed")


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("cawg")])
def test_signed_files_of_every_format(name):
    assert [said(found) for found in stores(FILES[name])] == [[DENIED]]


def test_other_signed_files():
    (older,) = stores(FILES["c2pa.jpeg"])
    assert said(older) == [
        ("deny", "c2pa:c2pa.training-mining", "c2pa.ai_inference: allowed, c2pa.ai_training: constrained")
    ]
    (allowed,) = stores(FILES["allowed.jpeg"])
    assert [says for says, _, _ in said(allowed)] == ["allow"]
    (silent,) = stores(FILES["silent.jpeg"])
    assert said(silent) == []


def test_a_compressed_manifest_is_read():
    (compressed,) = stores(FILES["compressed.jpeg"])
    assert b"training-mining" not in compressed
    assert said(compressed) == [DENIED]


def test_a_reservation_of_an_ingredient_binds_what_is_made_of_it():
    (edited,) = stores(FILES["ingredient.jpeg"])
    assert said(edited) == [DENIED]


@pytest.mark.parametrize("generation", ["c2pa", "cawg"])
@pytest.mark.parametrize("entry", sorted(c2pa.ENTRIES))
@pytest.mark.parametrize(
    ("use", "says"),
    [
        ("notAllowed", "deny"),
        ("constrained", "deny"),
        ("allowed", "allow"),
        ("NOTALLOWED", "deny"),
        ("no", "unknown"),
        ("", "unknown"),
    ],
)
def test_uses_of_both_generations(generation, entry, use, says):
    data = {"entries": {f"{generation}.{entry}": {"use": use}}}
    for label in ("training-mining", "training-mining.v2", "training-mining__1"):
        for kind in (b"cbor", b"json"):
            made = store(manifest(assertion(data, f"{generation}.{label}", kind)))
            assert said(made) == [(says, f"c2pa:{generation}.{label}", f"{generation}.{entry}: {use}")]


def test_what_was_constrained_is_kept():
    data = {"entries": {"cawg.data_mining": {"use": "constrained", "constraint_info": "ask us"}}}
    assert said(store(manifest(assertion(data))))[0][::2] == ("deny", "cawg.data_mining: constrained (ask us)")


def test_inference_is_another_matter():
    assert said(store(manifest(assertion(entries(ai_inference="notAllowed"))))) == []
    assert said(store(manifest(assertion(entries(ai_inference="notAllowed", ai_training="allowed")))))[0][0] == "allow"


@pytest.mark.parametrize(
    "data",
    [
        {"entries": {"cawg.ai_training": {}}},
        {"entries": {"cawg.ai_training": {"use": None}}},
        {"entries": {"cawg.ai_training": 1}},
        {"entries": {"cawg.ai_training": {"use": 10**5_000}}},
        {"entries": {"cawg.later_invention": {"use": "allowed"}}},
        {"entries": {"org.example.training": {"use": "allowed"}}},
        {"entries": {}},
        {"entries": []},
        {"entries": None},
        {},
        [],
        0,
        {"entries": {1: {"use": "allowed"}}},
    ],
)
def test_what_is_not_as_specified_is_unknown(data):
    assert [says for says, _, _ in said(store(manifest(assertion(data))))] == ["unknown"]


def test_the_draft_without_the_map_around_the_entries():
    assert said(store(manifest(assertion({"cawg.ai_training": {"use": "notAllowed"}}))))[0][0] == "deny"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\xbb\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x81" * 60_000,
        b"\xd8\x1c\x81\xd8\x1d\x00",
        b"\xc5\x82\x1b\x7f\xff\xff\xff\xff\xff\xff\xff\x01",
        bytes(100_000),
    ],
    ids=["empty", "break", "bytes", "map", "deep", "circle", "bigfloat", "large"],
)
def test_damaged_cbor_is_unknown(content):
    made = store(manifest(superbox(b"cbor", "cawg.training-mining", box(b"cbor", content))))
    assert [(says, field) for says, field, _ in said(made)] == [("unknown", "c2pa:cawg.training-mining")]


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 60_000, b'"\xff"', b"1e999999999"])
def test_damaged_json_is_unknown(content):
    made = store(manifest(superbox(b"json", "cawg.training-mining", box(b"json", content))))
    assert [says for says, _, _ in said(made)] == ["unknown"]


def test_a_content_that_is_neither_is_unknown():
    made = store(manifest(superbox(b"c2sh", "c2pa.training-mining", box(b"bidb", b"x"))))
    assert said(made) == [("unknown", "c2pa:c2pa.training-mining", "unreadable: neither CBOR nor JSON")]


@pytest.mark.parametrize("label", ["cawg.metadata", "c2pa.metadata__1", "stds.iptc", "stds.iptc.photo-metadata"])
def test_plus_in_metadata_assertions(label):
    value = "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING"
    context = {"@context": {"plus": "http://ns.useplus.org/ldf/xmp/1.0/"}}
    cases = [
        ({"plus:DataMining": value}, "deny"),
        ({"plus:DataMining": {"@id": value}}, "deny"),
        ({"http://ns.useplus.org/ldf/xmp/1.0/DataMining": [{"@id": value}]}, "deny"),
        ({"plus:DataMining": {"value": value}}, "unknown"),
        ({"plus:DataMining": "DMI-ALLOWED"}, "allow"),
        ({"plus:DataMining": None}, "unknown"),
    ]
    for data, says in cases:
        found = c2pa.signals(store(manifest(assertion(context | data, label, b"json"))))
        assert [(signal.name, signal.says, signal.field) for signal in found] == [("iptc_plus", says, f"c2pa:{label}")]
    for data in ({"plus:DataMining": "DMI-UNSPECIFIED"}, {"dc:title": "DataMining"}, {}):
        assert said(store(manifest(assertion(context | data, label, b"json")))) == []
    assert said(store(manifest(superbox(b"json", label, box(b"json", b'{"plus:DataMining"')))))[0][0] == "unknown"


def test_other_labels_are_not_looked_into():
    for label in ("c2pa.actions", "cawg.trainingmining", "c2pa.training"):
        assert said(store(manifest(superbox(b"cbor", label, box(b"cbor", b"\xff"))))) == []


def test_every_cut_of_a_store_is_noticed():
    whole = store(manifest(assertion(entries(ai_training="allowed"))))
    for length in range(1, len(whole)):
        assert said(whole[:length])[-1][0] == "unknown", length


def test_padding_is_no_content():
    content = box(b"cbor", cbor2.dumps(entries(ai_training="allowed")))
    padded = superbox(b"cbor", "cawg.training-mining", content, box(b"free", bytes(20)))
    assert [says for says, _, _ in said(store(manifest(padded)))] == ["allow"]


def test_a_label_that_stands_where_no_assertion_is_read_is_noticed():
    whole = store(manifest(assertion(entries(ai_training="notAllowed"))))
    at = whole.index(b"jumb", whole.index(b"c2pa.assertions"))
    assert said(whole[:at] + b"junk" + whole[at + 4 :])[0][0] == "unknown"


def test_what_was_read_before_the_damage_counts():
    whole = store(manifest(assertion(entries(ai_training="notAllowed"))), manifest())
    assert [says for says, _, _ in said(whole[:-10])] == ["deny", "unknown"]


@pytest.mark.parametrize(
    "hostile",
    [
        store(manifest(*[box(b"free", b"")] * 20_000)),
        box(b"jumb", b"") * 20_000,
        (8).to_bytes(4) + b"brob",
        store(box(b"brob", brotli.compress(bytes(50_000_000), quality=1))),
        store(*[box(b"brob", brotli.compress(box(b"free", bytes(5_000_000)), quality=1))] * 50),
        store(box(b"brob", brotli.compress(store(), quality=1)[:-4])),
        store(box(b"brob", b"jumbled")),
        b"\0\0\0\1jumb" + b"\xff" * 8 + b"c2pa",
        b"\0\0\0\7jumb",
    ],
    ids=["boxes", "flat", "empty", "bomb", "bombs", "cut", "noise", "large", "small"],
)
def test_hostile_stores_are_unknown_at_once(hostile):
    start = time.process_time()
    assert [says for says, _, _ in said(hostile)] == ["unknown"]
    assert time.process_time() - start < 2


def test_nesting_has_a_bottom():
    deep = b""
    for _ in range(10_000):
        deep = box(b"jumb", deep)
    assert said(deep) == [("unknown", "c2pa:manifest", "unreadable: boxes are nested too deeply")]


STORES = [stores(body)[0] for body in FILES.values()] + [store(manifest(assertion(entries(ai_training="notAllowed"))))]


@settings(max_examples=300)
@given(
    st.sampled_from(STORES), st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=6), st.integers(0, 8)), max_size=6)
)
def test_mutated_stores(original, changes):
    body = original
    for place, inserted, removed in changes:
        at = int(place * len(body))
        body = body[:at] + inserted + body[at + removed :]
    for signal in c2pa.signals(body):
        assert signal.name == "c2pa"
        assert len(signal.value) <= 500


@given(st.binary(max_size=300))
def test_any_bytes(noise):
    c2pa.signals(noise)
    c2pa.signals(store(manifest(superbox(b"cbor", "cawg.training-mining", box(b"cbor", noise)))))


USES = st.dictionaries(
    st.sampled_from(["cawg.ai_training", "c2pa.data_mining", "cawg.ai_inference", "x.y", "cawg.new"]),
    st.sampled_from(["allowed", "notAllowed", "constrained", "perhaps"]).map(lambda use: {"use": use}),
    min_size=1,
)


@given(st.lists(USES, min_size=1, max_size=3), USES)
def test_another_assertion_never_undoes_a_reservation(made, more):
    def denies(all_of_them):
        return any(
            says == "deny" for says, _, _ in said(store(manifest(*[assertion({"entries": e}) for e in all_of_them])))
        )

    assert denies([*made, more]) >= denies(made)
    assert denies([{**made[0], "x.z": {"use": "allowed"}}]) == denies([made[0]])
