"""XMP packets: PLUS Data Mining and TDMRep, in all the ways in which they are written."""

import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.permission import xmp

VOCABULARY = "http://ns.useplus.org/ldf/vocab/"


def packet(inside, attributes=""):
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Some Toolkit">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" xmlns:tdm="http://www.w3.org/ns/tdmrep/"
    xmlns:dc="http://purl.org/dc/elements/1.1/" {attributes}>
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">Grün</rdf:li></rdf:Alt></dc:title>{inside}
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def said(text):
    return [(signal.name, signal.says, signal.value) for signal in xmp.signals(text.encode())]


PROHIBITED = [value for value, says in xmp.PLUS_VALUES.items() if says == "deny"]


@pytest.mark.parametrize("value", PROHIBITED)
@pytest.mark.parametrize("prefix", ["", VOCABULARY, VOCABULARY.replace("http:", "https:"), "plusvocab:"])
def test_every_prohibition_in_every_form(value, prefix):
    whole = prefix + value
    expected = [("iptc_plus", "deny", whole)]
    assert said(packet(f"<plus:DataMining>{whole}</plus:DataMining>")) == expected
    assert said(packet(f"<plus:DataMining>\n  {whole}\n </plus:DataMining>")) == expected
    assert said(packet(f'<plus:DataMining rdf:resource="{whole}"/>')) == expected
    assert said(packet(f"<plus:DataMining><rdf:Bag><rdf:li>{whole}</rdf:li></rdf:Bag></plus:DataMining>")) == expected
    assert said(packet(f'<plus:DataMining><rdf:Description rdf:value="{whole}"/></plus:DataMining>')) == expected
    assert said(packet(f"<plus:DataMining><![CDATA[{whole}]]></plus:DataMining>")) == expected
    assert said(packet("", f'plus:DataMining="{whole}"')) == expected
    assert (
        said(packet("", f'plus:DataMining="{whole}"').replace("plus:", "p:").replace("xmlns:plus", "xmlns:p"))
        == expected
    )


def test_what_else_the_vocabulary_says():
    assert said(packet("", f'plus:DataMining="{VOCABULARY}DMI-ALLOWED"')) == [
        ("iptc_plus", "allow", f"{VOCABULARY}DMI-ALLOWED")
    ]
    assert said(packet("", f'plus:DataMining="{VOCABULARY}DMI-UNSPECIFIED"')) == []


@pytest.mark.parametrize("value", ["", "yes", "allowed", "DMI-", "DMI-ALLOW", "DMI-ALLOWED DMI-ALLOWED", "Prohibited"])
def test_values_nobody_has_defined_are_unknown(value):
    assert said(packet(f"<plus:DataMining>{value}</plus:DataMining>")) == [("iptc_plus", "unknown", value)]


def test_a_prohibition_that_is_not_in_the_vocabulary_yet_is_one():
    assert xmp.plus("DMI-PROHIBITED-ROBOTS") == "deny"
    assert xmp.plus("dmi-prohibited-aimltraining") == "deny"
    assert xmp.plus("DMI-ALLOWED-ROBOTS") == "unknown"


def test_several_values_are_several_signals():
    both = packet("<plus:DataMining>DMI-ALLOWED</plus:DataMining>", 'plus:DataMining="DMI-PROHIBITED"')
    assert said(both) == [("iptc_plus", "deny", "DMI-PROHIBITED"), ("iptc_plus", "allow", "DMI-ALLOWED")]
    listed = "<plus:DataMining><rdf:Bag><rdf:li>DMI-ALLOWED</rdf:li><rdf:li>x</rdf:li></rdf:Bag></plus:DataMining>"
    assert said(packet(listed)) == [("iptc_plus", "allow", "DMI-ALLOWED"), ("iptc_plus", "unknown", "x")]


@pytest.mark.parametrize(("value", "says"), [("1", "deny"), ("0", "allow"), ("2", "unknown"), ("yes", "unknown")])
def test_tdmrep(value, says):
    assert said(packet(f"<tdm:reservation> {value} </tdm:reservation>")) == [("tdmrep", says, value)]
    assert said(packet("", f'tdm:reservation="{value}"')) == [("tdmrep", says, value)]
    with_policy = packet(f"<tdm:policy>https://a.eu/p.json</tdm:policy><tdm:reservation>{value}</tdm:reservation>")
    assert said(with_policy) == [("tdmrep", says, f"{value}; policy=https://a.eu/p.json")]
    assert said(packet("<tdm:policy>https://a.eu/reservation.json</tdm:policy>")) == []


def test_the_namespace_decides():
    assert said(packet("<dc:DataMining>DMI-PROHIBITED</dc:DataMining><dc:reservation>1</dc:reservation>")) == []
    assert said(packet("<dc:subject>DataMining reservation</dc:subject>")) == []
    sloppy = packet("<plus:DataMining>DMI-PROHIBITED</plus:DataMining>").replace(
        "http://ns.useplus.org/ldf/xmp/1.0/", "https://ns.useplus.org/ldf/xmp/1.0"
    )
    assert said(sloppy) == [("iptc_plus", "deny", "DMI-PROHIBITED")]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
@pytest.mark.parametrize("declared", ["", '<?xml version="1.0" encoding="UTF-16"?>'])
def test_encodings(encoding, declared):
    text = declared + packet("", 'plus:DataMining="DMI-PROHIBITED"')
    signals = xmp.signals(text.encode(encoding))
    assert [(signal.says, signal.field) for signal in signals] == [("deny", "xmp:plus:DataMining")]


def test_bytes_of_another_encoding_do_no_harm():
    body = packet("", 'plus:DataMining="DMI-PROHIBITED"').encode().replace("ü".encode(), b"\xfc")
    assert [signal.says for signal in xmp.signals(body)] == ["deny"]


@pytest.mark.parametrize("behind", [b"\0", b"\0" * 500, b" " * 2_000, b"\n<?xpacket end='w'?>\0\0", b"<junk", b"\xff"])
def test_what_stands_behind_the_packet_is_no_damage(behind):
    assert [signal.says for signal in xmp.signals(packet("", 'plus:DataMining="DMI-ALLOWED"').encode() + behind)] == [
        "allow"
    ]


@pytest.mark.parametrize(
    "damaged",
    [
        packet("", 'plus:DataMining="DMI-ALLOWED"').partition("</rdf:Description>")[0],
        packet("", "plus:DataMining=DMI-ALLOWED"),
        packet("<unbound:DataMining>DMI-ALLOWED</unbound:DataMining>"),
        packet("<plus:DataMining>&allowed;</plus:DataMining>"),
        "DataMining",
    ],
)
def test_what_cannot_be_read_to_its_end_adds_an_unknown(damaged):
    assert said(damaged)[-1][:2] == ("iptc_plus", "unknown")


def test_damage_elsewhere_is_silence():
    assert said(packet("")[:-100]) == []
    assert said("") == said("<") == []


def test_a_prohibition_before_the_damage_counts():
    cut = packet("", 'plus:DataMining="DMI-PROHIBITED"').partition("</rdf:Description>")[0]
    assert [says for _, says, _ in said(cut)] == ["deny", "unknown"]


def test_no_entity_is_expanded():
    laughs = "".join(f'<!ENTITY l{k} "{f"&l{k - 1};" * 10}">' for k in range(1, 12))
    bomb = f'<!DOCTYPE x [<!ENTITY l0 "DMI-ALLOWED">{laughs}]>' + packet("<plus:DataMining>&l11;</plus:DataMining>")
    assert said(bomb) == [("iptc_plus", "unknown", "unreadable: it has a document type declaration")]
    outside = '<!DOCTYPE x SYSTEM "file:///etc/passwd">' + packet("", 'plus:DataMining="DMI-ALLOWED"')
    assert said(outside)[0][1] == "unknown"


@pytest.mark.parametrize(
    "body",
    [
        b"<a>" * 200_000 + b"DataMining",
        b"<a xmlns:b='c'>" * 50_000 + b"DataMining",
        b"<DataMining " + b" ".join(b"a%d='1'" % k for k in range(50_000)) + b"/>",
        packet("<plus:DataMining>" + "<rdf:li>DMI-</rdf:li>" * 20_000 + "</plus:DataMining>").encode(),
        b"<x>" + b"DataMining " * 300_000 + b"</x>",
    ],
    ids=["deep", "namespaces", "attributes", "values", "text"],
)
def test_large_packets_cost_little(body):
    tracemalloc.start()
    start = time.process_time()
    xmp.signals(body)
    spent, peak = time.process_time() - start, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert spent < 10  # tracing takes most of it
    assert peak < 40 * len(body) + 10_000_000


AROUND = st.sampled_from(["", " ", "x", "/", "http://ns.useplus.org/ldf/vocab/"])
VALUES = st.one_of(
    st.builds("{}{}{}".format, AROUND, st.sampled_from([*xmp.PLUS_VALUES]), AROUND),
    st.text("DMI-ALLOWEDPROHBT/:#x ", max_size=30),
)


@given(VALUES)
def test_only_what_allows_allows(value):
    if xmp.plus(value) == "allow":
        assert value.strip().rstrip("/").upper().endswith("DMI-ALLOWED")
    if "DMI-PROHIBITED" in value:
        assert xmp.plus(value) in {"deny", "unknown"}


@given(
    st.lists(st.sampled_from(["DMI-ALLOWED", "DMI-PROHIBITED", "x"]), max_size=4), st.sampled_from(["DMI-ALLOWED", "x"])
)
def test_another_statement_never_undoes_a_prohibition(values, more):
    def denies(listed):
        inside = "".join(f"<plus:DataMining>{value}</plus:DataMining>" for value in listed)
        return any(says == "deny" for _, says, _ in said(packet(inside)))

    assert denies([*values, more]) == denies([more, *values]) == denies(values)


FULL = packet("<plus:DataMining>DMI-PROHIBITED</plus:DataMining>", 'tdm:reservation="1"').encode()


@given(st.lists(st.tuples(st.integers(0, len(FULL)), st.binary(max_size=5), st.integers(0, 20)), max_size=6))
def test_mutated_packets(changes):
    body = FULL
    for at, inserted, removed in changes:
        body = body[:at] + inserted + body[at + removed :]
    for signal in xmp.signals(body):
        assert signal.says != "allow" or b"ALLOWED" in body or b"0" in body
        assert len(signal.value) <= 500


@given(st.binary(max_size=200))
def test_any_bytes(noise):
    for start in (b"", b"<a>DataMining", b"\xff\xfe", b"\0\0\0<DataMining", b"<\0\0\0DataMining", b"\0<DataMining"):
        xmp.signals(start + noise)
