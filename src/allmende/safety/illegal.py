"""Lists of known illegal content, as hotlines and police share them: hashes of files, URLs, domains.

Every line must be an entry: these lists are made with care, and a damaged one must not pass for a whole one.
"""

from collections.abc import Callable

import numpy as np

from allmende.errors import RecipeError
from allmende.recipe import Safety
from allmende.safety.block_list import BlockList, DigestList, NameList, PdqList, about_of, filled, name_key
from allmende.safety.digest_set import DigestSet
from allmende.safety.domains import domain_entry, host_forms, url_entry, url_forms
from allmende.safety.list_file import HEX_DIGITS, KINDS, MIN_KEYED_BYTES, ListFile, hex_entry, keyed_hash, open_list
from allmende.safety.pdq_index import MIN_QUALITY, PdqIndex


def hash_list(spec: str, safety: Safety) -> BlockList:
    """Opens a list of known illegal content: `path`, or `kind:path`."""
    kind, colon, path = spec.partition(":")
    if not colon or kind not in KINDS:
        kind, path = "", spec
    file = open_list(path, safety.list_key)
    said = file.heading.kind
    if kind and said and kind != said:
        raise RecipeError(f"List {file.path} says that it is of kind {said}, the recipe says {kind}.")
    kind = kind or said or _guess(file)
    if kind not in KINDS:
        raise RecipeError(f"List {file.path}: {kind} is no kind of list. There are: {', '.join(KINDS)}.")
    if kind == "pdq":
        return _pdq_list(file, safety.pdq_distance)
    if kind in HEX_DIGITS:
        return _digest_list(file, kind)
    return _name_list(file, kind)


def _guess(file: ListFile) -> str:
    """The kind, from the length of the first entry."""
    first = next(file.lines(), (0, ""))[1]
    kinds = [kind for kind in ("md5", "sha1") if len(first) == HEX_DIGITS[kind] and not file.heading.salt]
    if not kinds:
        raise RecipeError(
            f"List {file.path}: what is it? Write its kind before the path, as in sha256:{file.path}, or into the list "
            f"as a line `# kind: sha256`. There are: {', '.join(KINDS)}."
        )
    return kinds[0]


def _digest_list(file: ListFile, kind: str) -> BlockList:
    """Hexadecimal digests, one a line."""
    keyed = bool(file.heading.salt)
    if file.heading.hash and not keyed:
        raise RecipeError(f"List {file.path}: a list of {kind} with a hash needs a salt.")
    content = bytearray()
    digits = 0 if keyed else HEX_DIGITS[kind]
    for number, line in file.lines():
        digits = digits or _keyed_digits(file, number, line)
        try:
            content += hex_entry(line, digits)
        except ValueError as error:
            raise file.wrong(number, str(error)) from None
    key = _key(file, digits // 2)
    return filled(
        DigestList(about_of(file, kind, len(content) * 2 // max(digits, 1)), DigestSet(content, digits // 2 or 8), key)
    )


def _pdq_list(file: ListFile, distance: int) -> BlockList:
    """PDQ hashes, one a line, alone or as `hash,quality`."""
    if file.heading.salt or file.heading.hash:
        raise RecipeError(
            f"List {file.path}: salted perceptual hashes can't be compared; ask for them encrypted (age)."
        )
    content = bytearray()
    skipped = 0
    for number, line in file.lines():
        text, comma, quality = line.partition(",")
        if number == 1 and text.strip().lower() in ("hash", "pdq", "pdq_hash"):
            continue
        try:
            entry = hex_entry(text.strip(), HEX_DIGITS["pdq"])
            good = not comma or float(quality.split(",")[0]) >= MIN_QUALITY
        except ValueError as error:
            raise file.wrong(number, str(error)) from None
        if good:
            content += entry
        skipped += not good
    about = about_of(file, "pdq", len(content) // 32, skipped=skipped, distance=distance)
    hashes = np.frombuffer(content, ">u8").astype(np.uint64).reshape(-1, 4)
    return filled(PdqList(about, PdqIndex(hashes, distance)))


def _name_list(file: ListFile, kind: str) -> BlockList:
    """URLs or domains of illegal content, or hashes of these."""
    entry, forms = (url_entry, url_forms) if kind == "url" else (domain_entry, host_forms)
    keyed = bool(file.heading.salt or file.heading.hash)
    content = bytearray()
    digits = 0
    for number, line in file.lines():
        try:
            if keyed:
                digits = digits or _keyed_digits(file, number, line)
                content += hex_entry(line, digits)
            else:
                content += name_key(entry(line))
        except ValueError as error:
            raise file.wrong(number, str(error)) from None
    width = digits // 2 or 16
    key = _key(file, width) if keyed else None
    return filled(NameList(about_of(file, kind, len(content) // width), DigestSet(content, width), forms, key))


def _keyed_digits(file: ListFile, number: int, line: str) -> int:
    if len(line) < 2 * MIN_KEYED_BYTES or len(line) % 2:
        raise file.wrong(number, f"{len(line)} characters; keyed hashes have at least {2 * MIN_KEYED_BYTES}")
    return len(line)


def _key(file: ListFile, width: int) -> Callable[[str], bytes] | None:
    try:
        return keyed_hash(file.heading, width)
    except ValueError as error:
        raise RecipeError(f"List {file.path}: {error}.") from None
