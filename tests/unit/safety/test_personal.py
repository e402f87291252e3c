from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise

import phonenumbers
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from stdnum import iban, luhn, numdb
from stdnum.de import idnr
from stdnum.iso7064 import mod_11_10

from allmende.safety.personal import Finding, Kind, find, replace, replace_column, replace_counted, replace_in
from allmende.safety.personal.numbers import is_social_security

SNIPPETS = [
    "müller@bücher.de", "anna (at) example [dot] org", " at ", " dot ", "@", "(", ")", "[", "]", ".", "/", "-", "+", " ", ",", ":", "\n",
    "E-Mail: ", "Tel. ", "Fax ", "Nr. ", "IP: ", "version ", "DE89 3704 0044 0532 0130 00", "DE89370400440532013000",
    "4111 1111 1111 1111", "378282246310005", "86 095 742 719", "86095742719", "65 170839 J 003", "65170839J003",
    "Steuernummer 21/815/08150", "030 23125-000", "+49 (0)30 23125-000", "01 99 00 12 34", "(202) 555-0123", "0171 3920012",
    "192.0.2.17", "4.3.2.1", "2001:db8::17", "10115 Berlin", "01.02.2019", "0", "00", "1", "49", "٣", "＠", "\u00a0", "–", "€",
]  # fmt: skip
MIXED = st.lists(st.sampled_from(SNIPPETS) | st.text(max_size=6), max_size=12).map("".join)
"""Texts made of what patterns look at, in any order: where a match ends, another begins, or is cut."""

WORDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyzäöüß", min_size=2, max_size=10)


def kinds(text):
    return [finding.kind for finding in find(text)]


def test_placeholders_stand_where_the_data_stood():
    text = "Fragen? müller@bücher.de oder Tel. 030 23125-000 (IBAN DE89 3704 0044 0532 0130 00)"
    assert replace(text) == "Fragen? [EMAIL] oder Tel. [PHONE] (IBAN [IBAN])"
    assert replace_counted(text)[1] == {Kind.EMAIL: 1, Kind.PHONE: 1, Kind.IBAN: 1}


def test_a_text_without_any_is_the_same():
    assert replace("Version 4.3.2.1, Section 5.16.3.2") == "Version 4.3.2.1, Section 5.16.3.2"
    assert find("") == []


def test_digits_of_other_scripts_count():
    assert replace("هاتف +٩٧١ ٢ ٢٣٤ ٥٦٧٨") == "هاتف [PHONE]"
    assert replace("taro＠example．jp") == "[EMAIL]"


def test_numbers_in_a_row_are_all_found():
    assert replace("030 23125-000 / 030 23125-001, 069 90009-123") == "[PHONE] / [PHONE], [PHONE]"


@pytest.mark.parametrize(
    "address", ["10.0.0.138", "127.0.0.1", "169.254.169.254", "192.168.178.1", "224.0.0.251", "0.0.0.0"]
)
def test_addresses_that_name_nobody_outside_stay(address):
    assert find(f"IP: {address}") == []


@settings(deadline=None)
@given(MIXED)
def test_replacing_again_changes_nothing(text):
    once = replace(text)
    assert replace(once) == once


@settings(deadline=None)
@given(st.text())
def test_any_text_will_do(text):
    findings = find(text)
    assert all(0 <= f.begin < f.end <= len(text) for f in findings)
    assert all(a.end <= b.begin for a, b in pairwise(findings))


def test_lone_surrogates_will_do():
    assert replace("\ud800 info@example.org \udfff") == "\ud800 [EMAIL] \udfff"


@settings(deadline=None)
@given(st.lists(st.none() | MIXED.map(lambda text: text.encode("utf-8", "replace").decode()), max_size=20), st.data())
def test_a_column_is_replaced_as_its_texts_are_however_it_is_cut(texts, data):
    expected = [None if text is None else replace(text) for text in texts]
    cut = data.draw(st.integers(0, len(texts)))
    kind = data.draw(st.sampled_from([pa.string(), pa.large_string()]))
    column = pa.chunked_array([texts[:cut], texts[cut:]], kind)
    replaced, counts = replace_column(column)
    assert replaced.to_pylist() == expected
    assert replaced.type == kind
    assert sum(counts.values()) == sum(sum(replace_counted(text)[1].values()) for text in texts if text is not None)
    columns = {"a": list(texts), "b": list(reversed(texts)), "url": list(texts)}
    replace_in(columns, ["a", "b", "absent"])
    assert columns == {"a": expected, "b": expected[::-1], "url": texts}


@settings(deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=3), st.lists(WORDS, min_size=1, max_size=3), WORDS, WORDS)
def test_every_address_is_found_in_running_text(local, host, before, after):
    assume(host[-1] not in {"js", "css", "htm", "png"} and local != ["git"])
    address = f"{'.'.join(local)}@{'-'.join(host)}.org"
    begin = len(before) + 1
    assert find(f"{before} {address} {after}") == [Finding(Kind.EMAIL, begin, begin + len(address))]
    for at in ("(at)", " [at] ", " (ät) "):
        assert kinds(f"{before} {address.replace('@', at)}, {after}") == [Kind.EMAIL]


COUNTRIES = [
    c for a in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for b in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    if numdb.get("iban").info((c := a + b) + "00")[0][1]
]  # fmt: skip


@st.composite
def ibans(draw):
    country = draw(st.sampled_from(COUNTRIES))
    alphabets = {"n": "0123456789", "a": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "c": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
    text, number = "", ""
    for char in numdb.get("iban").info(country + "00")[0][1]["bban"]:
        if char.isdigit():
            number += char
        elif char in alphabets:
            text += draw(st.text(alphabet=alphabets[char], min_size=int(number), max_size=int(number)))
            number = ""
    return country + iban.calc_check_digits(f"{country}00{text}") + text


@settings(deadline=None)
@given(ibans(), st.booleans(), WORDS)
def test_every_account_is_found_and_none_with_a_wrong_check_digit(account, printed, word):
    text = iban.format(account) if printed else account
    found = find(f"{word}: {text} {word}")
    assert found[0] == Finding(Kind.IBAN, len(word) + 2, len(word) + 2 + len(text))
    wrong = account[:2] + f"{(int(account[2:4]) % 97) + 2:02d}" + account[4:]
    assume(wrong[2:4] != account[2:4] and (int(wrong[2:4]) - int(account[2:4])) % 97)
    assert Kind.IBAN not in kinds(f"{word}: {wrong} {word}")


CARDS = st.sampled_from([("4", 16), ("51", 16), ("2300", 16), ("34", 15), ("6011", 16), ("3528", 16), ("36", 14)])


@settings(deadline=None)
@given(CARDS, st.integers(0, 10**15), st.sampled_from(["", " ", "-"]), WORDS)
def test_every_card_is_found_and_none_with_a_wrong_check_digit(network, number, separator, word):
    prefix, size = network
    body = prefix + f"{number:015d}"[: size - 1 - len(prefix)]
    check = int(luhn.calc_check_digit(body))
    groups = (4, 4, 4, 4) if size == 16 else (4, 6, 5)

    def printed(digit):
        digits, parts = body + str(digit), []
        for group in groups:
            parts, digits = [*parts, digits[:group]], digits[group:]
        return separator.join(part for part in parts if part)

    assert kinds(f"{word} {printed(check)} {word}") == [Kind.CARD]
    assert Kind.CARD not in kinds(f"{word} {printed((check + 1) % 10)} {word}")


@settings(deadline=None)
@given(st.permutations("0123456789"), st.integers(0, 8), st.sampled_from(["{}{}{}{}", "{} {} {} {}"]), WORDS)
def test_every_tax_id_is_found_and_none_with_a_wrong_check_digit(digits, twice, form, word):
    body = [*digits[:9], digits[twice]]  # one digit twice, one not at all
    assume(body[0] != "0" and body[9] != body[8])
    body = "".join(body)
    right = body + mod_11_10.calc_check_digit(body)
    assert idnr.is_valid(right)
    wrong = body + str((int(right[-1]) + 1) % 10)
    for number, expected in ((right, True), (wrong, False)):
        text = form.format(number[:2], number[2:5], number[5:8], number[8:])
        assert (kinds(f"{word} {text} {word}") == [Kind.TAX_ID]) is expected


@settings(deadline=None)
@given(
    st.sampled_from(["12", "65", "15"]),
    st.dates().map(lambda day: f"{day:%d%m%y}"),
    st.sampled_from("ABJMZ"),
    st.integers(0, 99),
)
def test_of_insurance_numbers_one_check_digit_is_right(area, day, letter, serial):
    numbers = [f"{area}{day}{letter}{serial:02d}{check}" for check in range(10)]
    right = [number for number in numbers if is_social_security(number)]
    assert len(right) == 1
    assert kinds(f"Nr. {right[0]} liegt bei") == [Kind.SOCIAL_SECURITY]


def test_the_specimen_of_the_insurance_number():
    assert is_social_security("65170839J003")
    assert not is_social_security("65170839J004")
    assert not is_social_security("99170839J003")


@settings(deadline=None)
@given(st.integers(1 << 24, (224 << 24) - 1).map(IPv4Address))
def test_public_addresses_are_found_after_a_word_that_says_so(address):
    expected = [Kind.IPV4] if address.is_global else []
    assume(expected or not address.is_private or not str(address).startswith(("192.0.2.", "198.51.100.", "203.0.113.")))
    assert kinds(f"IP: {address} im Netz") == expected


@settings(deadline=None)
@given(st.integers(0, (1 << 96) - 1).map(lambda low: (0x2001_0DB8 << 96) + low | 1))
def test_ipv6_addresses_are_found(number):
    text = str(IPv6Address(number))
    assert find(f"von {text}.") == [Finding(Kind.IPV6, 4, 4 + len(text))]
    assert kinds(f"von {IPv6Address(number).exploded} aus") == [Kind.IPV6]


@pytest.mark.parametrize(
    "region", ["DE", "AT", "CH", "FR", "GB", "IT", "ES", "PL", "NL", "SE", "FI", "CZ", "GR", "PT", "US"]
)
def test_the_specimens_of_libphonenumber_are_found(region):
    number = phonenumbers.example_number(region)
    form = phonenumbers.PhoneNumberFormat
    for text in (
        phonenumbers.format_number(number, form.INTERNATIONAL),
        phonenumbers.format_number(number, form.E164),
        "Tel. " + phonenumbers.format_number(number, form.NATIONAL),
    ):
        assert replace(f"Ruf {text} oder") in {"Ruf [PHONE] oder", "Ruf Tel. [PHONE] oder"}


@settings(deadline=None)
@given(st.integers(1, 999_999))
def test_numbers_of_films_are_found(tail):
    assert kinds(f"030 23125{tail % 1000:03d}") == [Kind.PHONE]
    assert kinds(f"+49 30 23125-{tail % 1000:03d}") == [Kind.PHONE]
