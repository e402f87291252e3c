"""Ways through the bytes of JSON, which may be anything, to places before `end`. Part of wat_record.pyx."""

cdef extern from "Python.h":
    str PyUnicode_DecodeUTF8(const char* data, Py_ssize_t size, const char* errors)
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL

ctypedef const unsigned char* Place

cdef struct Span:
    Place begin
    Place end

cdef enum:
    DEEPEST = 100  # levels of arrays and objects that are followed; no record that is what it should be has more than ten
    IN_PATH = 1
    IN_QUERY = 2
    IN_NUMBER = 4
    IN_HOST = 8
    LETTER = 16

cdef const unsigned char* LICENSE = b"license"

cdef unsigned char KIND[256]
"""What a byte may be part of."""

_decode_string = msgspec.json.Decoder(str).decode


def _note_kinds():
    for code in range(256):
        KIND[code] = 0
    for kind, members in {
        # As in allmende.extract.urls: the dot and the percent sign in a path need a closer look.
        IN_PATH: b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_~!$&()*+,;=:@/-",
        IN_QUERY: b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_~!$&()*+,;=./:?@%-",
        IN_NUMBER: b"+-.0123456789Eaeflnrstu",  # and in true, false, null
        IN_HOST: b"abcdefghijklmnopqrstuvwxyz0123456789",
        LETTER: b"abcdefghijklmnopqrstuvwxyz",
    }.items():
        for code in members:
            KIND[code] |= kind


_note_kinds()

cdef Span EMPTY  # of no bytes
EMPTY.begin = EMPTY.end = LICENSE


cdef inline bint equals(const Span* span, const char* word) noexcept nogil:
    cdef Py_ssize_t size = strlen(word)
    return span.end - span.begin == size and memcmp(span.begin, word, size) == 0


cdef Place string_end(Place at, Place end) noexcept nogil:
    """The quotation mark that ends a string whose first byte is at `at`; NULL if there is none."""
    cdef Place quote
    cdef Place before
    while True:
        quote = <Place>memchr(at, c'"', end - at)
        if quote is NULL:
            return NULL
        before = quote
        while before > at and before[-1] == c"\\":
            before -= 1
        if not (quote - before) & 1:
            return quote
        at = quote + 1


cdef Place value_end(Place at, Place end, int depth) noexcept nogil:
    """What follows the JSON value that begins at `at`; NULL if there is none, or it is nested too deep."""
    cdef unsigned char opening
    cdef Place before = at
    if at >= end or depth == 0:
        return NULL
    opening = at[0]
    if opening == c'"':
        at = string_end(at + 1, end)
        return at + 1 if at is not NULL else NULL
    if opening != c"{" and opening != c"[":
        while at < end and KIND[at[0]] & IN_NUMBER:
            at += 1
        return at if at > before else NULL
    at += 1
    if at < end and at[0] == opening + 2:  # as in ASCII: [ \ ] and { | }
        return at + 1
    while True:
        if opening == c"{":
            if at >= end or at[0] != c'"':
                return NULL
            at = string_end(at + 1, end)
            if at is NULL or end - at < 2 or at[1] != c":":
                return NULL
            at += 2
        at = value_end(at, end, depth - 1)
        if at is NULL or at >= end:
            return NULL
        if at[0] == opening + 2:
            return at + 1
        if at[0] != c",":
            return NULL
        at += 1


cdef bint is_element(Place at, Place end) noexcept nogil:
    """Whether an element's name stands there, and one of its attributes or its text: `IMG@/`, `STYLE/#`."""
    while at < end and (c"A" <= at[0] <= c"Z" or c"0" <= at[0] <= c"9"):
        at += 1
    return end - at >= 2 and ((at[0] == c"@" and at[1] == c"/") or (at[0] == c"/" and at[1] == c"#"))


cdef Place license_from(Place at, Place end) noexcept nogil:
    """Where the next `license` stands, in small letters or capitals; NULL if there is none.

    Of 64 places at once: compilers make SIMD of that.
    """
    cdef unsigned char found
    cdef int i
    while end - at >= 64 + 6:
        found = 0
        for i in range(64):
            found |= ((at[i + 1] | 32) == c"i") & ((at[i + 2] | 32) == c"c") & ((at[i + 5] | 32) == c"s")
        if found:
            for i in range(64):
                if is_word_license(at + i):
                    return at + i
        at += 64
    while end - at >= 7:
        if is_word_license(at):
            return at
        at += 1
    return NULL


cdef inline bint is_word_license(Place at) noexcept nogil:
    cdef int i
    for i in range(7):
        if (at[i] | 32) != LICENSE[i]:
            return False
    return True


cdef str text(const Span* span):
    """A string's text.

    Raises:
        ValueError: It is not JSON, or not UTF-8.
    """
    cdef Py_ssize_t size = span.end - span.begin
    cdef Py_ssize_t at
    cdef bint control = False
    if size == 0:
        return ""
    if memchr(span.begin, c"\\", size) is not NULL:
        return _decode_string(span.begin[-1 : size + 1])
    for at in range(size):
        control |= span.begin[at] < 32
    if control:
        raise ValueError("a control character")
    return PyUnicode_DecodeUTF8(<const char*>span.begin, size, NULL)


cdef struct Written:
    unsigned char size
    unsigned char name[31]


@cython.final
cdef class Names:
    """One of the tables of names of `allmende.extract.head`, looked up without making an object of what is written.

    The same few hundred are met over and over.
    """

    cdef object _names
    cdef list _known
    cdef Written _written[512]

    def __init__(self, names):
        self._names = names
        self._known = [None] * 512

    cdef str of(self, const Span* span):
        cdef Py_ssize_t size = span.end - span.begin
        cdef Py_ssize_t at
        cdef unsigned int place = 0
        cdef Written* written
        if not 0 < size <= 31:
            return self._names[text(span)]
        for at in range(size):
            place = place * 31 + span.begin[at]
        place = (place ^ place >> 9) & 511
        written = &self._written[place]
        if written.size != size or memcmp(written.name, span.begin, size):
            self._known[place] = self._names[text(span)]
            written.size = <unsigned char>size
            memcpy(written.name, span.begin, size)
        return self._known[place]
