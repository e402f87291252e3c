"""Work grows with the length of the text: shown on the patterns themselves, and on texts made to be slow."""

import itertools
import re

import pytest

from allmende.safety import personal
from allmende.safety.personal import addresses, find, kind, mail, masking, numbers, phone, scan

MODULES = (kind, mail, numbers, addresses, phone, scan)
PATTERNS = {
    f"{module.__name__.rsplit('.', 1)[1]}.{name}": pattern
    for module in MODULES
    for name, pattern in vars(module).items()
    if isinstance(pattern, re.Pattern)
} | {f"phone._SHAPES[{number}]": shape for number, (shape, _) in enumerate(phone._SHAPES)}

parser = re._parser  # the parse tree is no public interface, but only it can show this


def repeats(tree, depth=0):
    """Every repetition in a pattern: its largest count, and how many backtracking repetitions it stands in."""
    for operation, argument in tree:
        name = str(operation)
        if name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            low, high, inner = argument
            yield high, depth
            yield from repeats(inner, depth + (name != "POSSESSIVE_REPEAT" and high > low and high > 1))
        elif name == "BRANCH":
            yield from itertools.chain.from_iterable(repeats(branch, depth) for branch in argument[1])
        elif name == "SUBPATTERN":
            yield from repeats(argument[3], depth)
        elif name in {"ASSERT", "ASSERT_NOT"}:
            yield from repeats(argument[1], depth)
        elif name == "ATOMIC_GROUP":
            yield from repeats(argument, depth)


@pytest.mark.parametrize("name", PATTERNS)
def test_every_pattern_has_a_bounded_length(name):
    pattern = PATTERNS[name]
    tree = parser.parse(pattern.pattern, pattern.flags)
    assert tree.getwidth()[1] <= 700
    assert all(high <= 160 for high, _ in repeats(tree))


@pytest.mark.parametrize("name", PATTERNS)
def test_no_pattern_backtracks_through_more_than_one_repetition_within_another(name):
    pattern = PATTERNS[name]
    assert all(depth <= 1 for _, depth in repeats(parser.parse(pattern.pattern, pattern.flags)))


HOSTILE = [
    "@", "a@", "a@a.", "a.", "a@a.a.a.a.a.a.a.a.a.", "a (at) ", "(at)", "( at ) a dot ", "a at b dot ", " at ", "mail a at ", "a[at]b.",
    "1", "1 ", "1-", "(1", "+1", "0 ", "01 ", "0123 ", "1.", "1.1.1.1", "1.1.1.1 ", "255.255.255.255.", "2001:", "2001:db8::", "2:", "+49 ",
    "DE", "DE89", "DE89 ", "DE89 3704 0044 0532 0130 00 ", "4111 1111 1111 1111 ", "4111111111111111 65170839J003 ",
    "86 095 742 719 ", "01 99 00 12 34 ", "030 23125-000 ", "Tel. ", "Tel. 912 345 678 ", "Nr. Nr. ", "st.nr. ", "(((((((", "+(+(", "/ 0",
    "Tel. 030 23125-000 10115 Berlin ", "xn--", "mail" * 8, "Steuernummer 21/815/08150", "Steuernummer 21/815/08150 ",
    "Steuernummer 21/815/081504111111111111111", "DE89370400440532013000Steuernummer 21/815/08150", "DE89370400440532013000",
    "Tel. 030 23125-000 4111 1111 1111 1111 65 170839 J 003 ", "192.0.2.17-", "192.0.2.17 2001:db8::17 ", "\u0661", "\u00a0", "é", "中a@b.cc",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_text_made_to_be_slow_takes_steps_in_proportion(piece, monkeypatch):
    """Counted: how often the library of phone numbers is asked, and how often a text is read again."""
    asked, read = [], []
    parse, finder = phone.phonenumbers.parse, masking.find
    monkeypatch.setattr(phone.phonenumbers, "parse", lambda *args: asked.append(1) or parse(*args))
    monkeypatch.setattr(masking, "find", lambda text: read.append(1) or finder(text))
    size = 20_000
    personal.replace_counted((piece * (size // len(piece) + 1))[:size])
    assert len(read) <= 3
    assert len(asked) <= 20 * size


@pytest.mark.parametrize("piece", ["1 ", "a@a.", "(at)", "DE89", "1.1.1.1 ", "Tel. ", "2001:db8::"])
def test_a_megabyte_is_read_to_its_end(piece):
    text = piece * (1_000_000 // len(piece))
    last = " info@example.org"
    assert find(text + last)[-1] == personal.Finding(personal.Kind.EMAIL, len(text) + 1, len(text + last))
