# cython: language_level=3
"""Usual WAT records, read without decoding what nobody asks for: the compiled way from a record to its image links.

`allmende.commoncrawl.wat` says what a record means, for records of any form; this reads most of them five times as
fast, and whatever it does not expect makes it say so (None) and leaves the record to the other. Expected is the form
since August 2019: no white space, path as a link's first key, HTML with a head, a container with lengths, strings
that are UTF-8. That is checked, but for one thing: what holds for the first link is taken to hold for all. `tests/unit/extract/test_wat_record.py` compares the two.

Nine tenths of a record are its list of links. Its end is guessed: the last `"}]`. Then the rest is read bracket by
bracket, so a guess inside a string, or in another list at another depth, ends in the middle of something.
Every pointer is compared with the end of the record before it is read.
"""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.string cimport memchr, memcmp, memcpy, strlen

import msgspec

from allmende.commoncrawl.wat import HeadLink, is_license
from allmende.extract.head import HEADER_NAMES, META_NAMES, RELS
from allmende.extract.page import Link
from allmende.extract.urls import normalise
from allmende.extract.words import collapse
from allmende.schema import Reason

cdef extern from "Python.h":
    str PyUnicode_DecodeUTF8(const char* data, Py_ssize_t size, const char* errors)
    str PyUnicode_New(Py_ssize_t size, Py_UCS4 maxchar)
    void* PyUnicode_1BYTE_DATA(object text)

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

cdef const unsigned char* IMAGE = b'{"path":"IMG@/src"'
cdef Py_ssize_t IMAGE_SIZE = strlen(<const char*>IMAGE)
cdef Py_ssize_t BEFORE_AT = <Place>memchr(IMAGE, c"@", IMAGE_SIZE) - IMAGE

cdef const unsigned char* LICENSE = b"license"

cdef unsigned char KIND[256]
"""What a byte may be part of."""

_decode_string = msgspec.json.Decoder(str).decode
_INVALID, _SCHEME, _TOO_LONG = Reason.URL_INVALID, Reason.URL_SCHEME, Reason.URL_TOO_LONG
_NO_CAPTION = Reason.NO_CAPTION


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


def read_usual(data, Py_ssize_t block):
    """A captured response that a record tells of.

    Args:
        data: WARC headers and block of the record; it is not copied, so it must not change while the result is in use.
        block: Where the block begins in `data`.

    Returns:
        A `UsualRecord`; None if the record is not of the usual form, and has to be read in the other way.
    """
    cdef UsualRecord record = UsualRecord()
    try:
        record._read(data, block)
    except ValueError:
        return None
    return record


@cython.final
cdef class UsualRecord:
    """What a WAT tells about one captured response, as far as it is wanted."""

    cdef Py_buffer _data
    cdef Place _at
    cdef Place _end
    cdef Span _links
    cdef bint _has_head
    cdef readonly str url, date, type, status, base, license, warc_file
    cdef readonly object warc_offset, warc_length
    cdef readonly list metas, links
    cdef readonly dict headers

    def __dealloc__(self):
        PyBuffer_Release(&self._data)

    cdef int _read(self, data, Py_ssize_t block) except -1:
        cdef Span key
        cdef Place begin
        PyObject_GetBuffer(data, &self._data, PyBUF_SIMPLE)
        begin = <Place>self._data.buf
        if not 0 <= block <= self._data.len:
            raise ValueError(block)
        self._at, self._end = begin + block, begin + self._data.len
        self.date = self.type = self.status = self.base = self.license = ""
        self.metas, self.links, self.headers = [], [], {}
        key.begin = self._links.begin = NULL
        while self._member(&key):
            if equals(&key, "Container"):
                self._read_container()
            elif equals(&key, "Envelope"):
                self._read_envelope()
            else:
                self._skip()
        while self._at < self._end:
            if self._at[0] not in b" \r\n\t":
                raise ValueError("more than a record")
            self._at += 1
        if not self._has_head or self.url is None or self.warc_file is None or self.warc_offset is None or self.warc_length is None:
            raise ValueError("something is missing")
        if self._links.begin is not NULL:
            self._read_license()
        return 0

    # Tokens

    cdef int _member(self, Span* key) except -1:
        """Move to the value of an object's next member, and note its key. 0 at the end. Before the first, `key.begin` is NULL."""
        cdef unsigned char found = self._take()
        if key.begin is NULL:
            if found != c"{" or self._at >= self._end:
                raise ValueError("no object")
            if self._at[0] == c"}":
                self._at += 1
                return 0
        elif found == c"}":
            return 0
        elif found != c",":
            raise ValueError("no comma")
        self._string(key)
        if self._take() != c":":
            raise ValueError("no colon")
        return 1

    cdef int _item(self, bint* begun) except -1:
        """Move to an array's next item. 0 at the end."""
        cdef unsigned char found = self._take()
        if not begun[0]:
            begun[0] = True
            if found != c"[" or self._at >= self._end:
                raise ValueError("no array")
            if self._at[0] == c"]":
                self._at += 1
                return 0
        elif found == c"]":
            return 0
        elif found != c",":
            raise ValueError("no comma")
        return 1

    cdef int _take(self) except -1:
        """The next byte, which is passed."""
        if self._at >= self._end:
            raise ValueError("the end")
        self._at += 1
        return self._at[-1]

    cdef int _string(self, Span* span) except -1:
        """Pass a string, and note what stands between its quotation marks."""
        if self._take() != c'"':
            raise ValueError("no string")
        span.begin = self._at
        span.end = string_end(self._at, self._end)
        if span.end is NULL:
            raise ValueError("a string without end")
        self._at = span.end + 1
        return 0

    cdef int _skip(self) except -1:
        """Pass a value."""
        cdef Place end = value_end(self._at, self._end, DEEPEST)
        if end is NULL:
            raise ValueError("no value")
        self._at = end
        return 0

    cdef str _text(self):
        cdef Span span
        self._string(&span)
        return text(&span)

    cdef object _number(self):
        """A number in a string, as the generator writes them."""
        cdef str digits = self._text()
        if not (0 < len(digits) < 19 and digits.isascii() and digits.isdecimal()):
            raise ValueError(digits)
        return int(digits)

    # Parts of a record

    cdef int _read_container(self) except -1:
        cdef Span key, inner
        key.begin = NULL
        while self._member(&key):
            if equals(&key, "Filename"):
                self.warc_file = self._text()
            elif equals(&key, "Offset"):
                self.warc_offset = self._number()
            elif equals(&key, "Gzip-Metadata"):
                inner.begin = NULL
                while self._member(&inner):
                    if equals(&inner, "Deflate-Length"):
                        self.warc_length = self._number()
                    else:
                        self._skip()
            else:
                self._skip()
        return 0

    cdef int _read_envelope(self) except -1:
        cdef Span key
        key.begin = NULL
        if not self._member(&key) or not equals(&key, "Payload-Metadata"):
            raise ValueError("not of the current form")
        self._read_payload()
        while self._member(&key):
            if equals(&key, "WARC-Header-Metadata"):
                self._read_warc()
            elif equals(&key, "Payload-Metadata"):
                raise ValueError("twice")
            else:
                self._skip()
        return 0

    cdef int _read_payload(self) except -1:
        cdef Span key
        key.begin = NULL
        while self._member(&key):
            if equals(&key, "HTTP-Response-Metadata"):
                self._read_response()
            else:
                self._skip()
        return 0

    cdef int _read_warc(self) except -1:
        cdef Span key
        key.begin = NULL
        while self._member(&key):
            if equals(&key, "WARC-Type"):
                self.type = self._text()
            elif equals(&key, "WARC-Target-URI"):
                self.url = self._text()
            elif equals(&key, "WARC-Date"):
                self.date = self._text()
            else:
                self._skip()
        return 0

    cdef int _read_response(self) except -1:
        cdef Span key, inner
        cdef bint has_headers = False
        key.begin = NULL
        while self._member(&key):
            if equals(&key, "Headers"):
                self._read_headers()
                has_headers = True
            elif equals(&key, "HTML-Metadata"):
                self._read_html()
            elif equals(&key, "Response-Message"):
                inner.begin = NULL
                while self._member(&inner):
                    if equals(&inner, "Status"):
                        self.status = self._text()
                    else:
                        self._skip()
            else:
                self._skip()
        if not has_headers:
            raise ValueError("no headers")
        return 0

    cdef int _read_headers(self) except -1:
        cdef Span key
        cdef bint begun
        cdef str name
        cdef list values
        key.begin = NULL
        while self._member(&key):
            name = HEADER_NAMES[text(&key)]
            if not name:
                self._skip()
                continue
            if name in self.headers:
                raise ValueError("the same header twice")
            values = []
            if self._at < self._end and self._at[0] == c"[":
                begun = False
                while self._item(&begun):
                    values.append(self._text())
            else:
                values.append(self._text())
            if values:
                self.headers[name] = values
        return 0

    cdef int _read_html(self) except -1:
        cdef Span key
        key.begin = NULL
        while self._member(&key):
            if equals(&key, "Head"):
                self._read_head()
            elif equals(&key, "Links"):
                self._pass_links()
            else:
                self._skip()
        return 0

    cdef int _read_head(self) except -1:
        cdef Span key
        cdef bint begun
        if self._has_head:
            raise ValueError("two heads")
        self._has_head = True
        key.begin = NULL
        while self._member(&key):
            begun = False
            if (self.metas and equals(&key, "Metas")) or (self.links and equals(&key, "Link")):
                raise ValueError("twice")
            if equals(&key, "Metas"):
                while self._item(&begun):
                    self._read_meta()
            elif equals(&key, "Link"):
                while self._item(&begun):
                    self._read_link()
            elif equals(&key, "Base"):
                self.base = self._text()
            else:
                self._skip()
        return 0

    cdef int _read_meta(self) except -1:
        cdef Span key, name, property, equivalent, content
        cdef str known
        key.begin = NULL
        name = property = equivalent = content = EMPTY
        while self._member(&key):
            if equals(&key, "content"):
                self._string(&content)
            elif equals(&key, "name"):
                self._string(&name)
            elif equals(&key, "property"):
                self._string(&property)
            elif equals(&key, "http-equiv"):
                self._string(&equivalent)
            else:
                self._skip()
        if property.begin < property.end:
            name = property
        elif name.begin >= name.end:
            name = equivalent
        known = META_NAMES[text(&name)]
        if known:
            self.metas.append((known, text(&content)))
        return 0

    cdef int _read_link(self) except -1:
        cdef Span key, url, rel, kind
        key.begin = NULL
        url = rel = kind = EMPTY
        while self._member(&key):
            if equals(&key, "url"):
                self._string(&url)
            elif equals(&key, "rel"):
                self._string(&rel)
            elif equals(&key, "type"):
                self._string(&kind)
            else:
                self._skip()
        if RELS[text(&rel)]:
            self.links.append(HeadLink(text(&url), text(&rel), text(&kind)))
        return 0

    cdef int _pass_links(self) except -1:
        """Note where the list of links stands, and go to where it ends, it seems."""
        cdef Place begin = self._at
        cdef Place last = self._end - 1
        if self._links.begin is not NULL:
            raise ValueError("two lists of links")
        if self._end - begin >= 2 and begin[0] == c"[" and begin[1] == c"]":
            self._at += 2
            return 0
        if self._end - begin < 10 or memcmp(begin, b'[{"path":"', 10) or not is_element(begin + 10, self._end):
            raise ValueError("not of the current form")
        while last - 2 > begin and not (last[0] == c"]" and last[-1] == c"}" and last[-2] == c'"'):
            last -= 1
        if last - 2 <= begin:
            raise ValueError("no end")
        self._links.begin, self._links.end = begin, last + 1
        self._at = last + 1
        return 0

    cdef int _read_license(self) except -1:
        """Note the target of the first link whose rel has the word license."""
        cdef Span key, url, rel
        cdef Place begin
        cdef Place at = license_from(self._links.begin, self._links.end)
        while at is not NULL:
            # `{"path":` begins an object, wherever it is: inside a string its quotation marks would be escaped.
            begin = at - 9  # at least: `{"path":"`, as at the beginning of the list
            while memcmp(begin, b'{"path":', 8):
                begin -= 1
            self._at, key.begin = begin, NULL
            url = rel = EMPTY
            while self._member(&key):
                if equals(&key, "url"):
                    self._string(&url)
                elif equals(&key, "rel"):
                    self._string(&rel)
                else:
                    self._skip()
            if self._at <= at:
                raise ValueError("it stands in an object that does not begin with path")
            if is_license(text(&rel)):
                self.license = text(&url)
                return 0
            at = license_from(self._at, self._links.end)
        return 0

    # Images

    def images(self, str base, str origin, str folder, Py_ssize_t longest):
        """The `IMG@/src` links.

        Args:
            base: What links are relative to.
            origin: Of `base`, as from `allmende.extract.urls.place`.
            folder: Likewise.
            longest: Most characters of a URL.

        Returns:
            The images with words, and a count for each Reason why others are none; None if one of them is not of the
            usual form.
        """
        cdef list images = []
        cdef dict dropped = {}
        cdef Py_ssize_t wordless = 0
        cdef Span url, alt, title
        cdef dict words
        cdef object whole
        if not (origin and origin.isascii() and folder.isascii()):
            return None
        self._at = self._links.begin
        try:
            while self._next_image(&url, &alt, &title):
                words = words_of(&alt, &title)
                if words is None:
                    # Without words it is no candidate, whatever its URL: most such images are decoration.
                    wordless += 1
                    continue
                whole = resolved(&url, base, origin, folder, longest)
                if type(whole) is str:
                    images.append(Link(whole, "img", words))
                else:
                    dropped[whole] = dropped.get(whole, 0) + 1
        except ValueError:
            return None
        if wordless:
            dropped[_NO_CAPTION] = wordless
        return images, dropped

    cdef int _next_image(self, Span* url, Span* alt, Span* title) except -1:
        """Find the next image, and note what stands in it. 0 if there is none."""
        cdef Span key
        cdef Place begin
        cdef Place at = self._at
        while at is not NULL and at < self._links.end:
            at = <Place>memchr(at, c"@", self._links.end - at)
            if at is NULL:
                return 0
            begin = at - BEFORE_AT
            at += 1
            if (
                begin >= self._links.begin
                and begin + IMAGE_SIZE <= self._links.end
                and at[-2] == c"G"  # says no to most without a call
                and memcmp(begin, IMAGE, IMAGE_SIZE) == 0
            ):
                break
        else:
            return 0
        self._at = begin + IMAGE_SIZE
        url[0] = alt[0] = title[0] = EMPTY
        key.begin = begin
        while self._member(&key):
            if equals(&key, "url"):
                self._string(url)
            elif equals(&key, "alt"):
                self._string(alt)
            elif equals(&key, "title"):
                self._string(title)
            else:
                self._skip()
        return 1


cdef Span EMPTY  # of no bytes
EMPTY.begin = EMPTY.end = IMAGE


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


cdef dict words_of(const Span* alt, const Span* title):
    """An image's words; None if it has none."""
    cdef str alt_words = collapsed(alt)
    cdef str title_words = collapsed(title)
    if alt_words:
        return {"alt": alt_words, "title": title_words} if title_words else {"alt": alt_words}
    return {"title": title_words} if title_words else None


cdef str collapsed(const Span* span):
    """A string's text, white space collapsed: as `collapse` does it."""
    cdef Span inner = span[0]
    cdef Place at
    cdef bint odd = False
    cdef unsigned char bits = 0
    cdef str words
    while inner.begin < inner.end and inner.begin[0] == c" ":
        inner.begin += 1
    while inner.begin < inner.end and inner.end[-1] == c" ":
        inner.end -= 1
    at = inner.begin
    while at < inner.end:
        # A space at the end is gone, so that the byte behind a space is still inside.
        odd |= at[0] < 32 or at[0] == 127 or at[0] == c"\\" or (at[0] == c" " and at[1] == c" ")
        bits |= at[0]
        at += 1
    if odd:
        return collapse(text(span))
    if bits < 128:
        return ascii_text(inner.begin, inner.end - inner.begin, "")
    words = PyUnicode_DecodeUTF8(<const char*>inner.begin, inner.end - inner.begin, NULL)
    return words if words.isprintable() else collapse(words)


cdef str ascii_text(Place data, Py_ssize_t size, str before):
    """`before`, which is ASCII, and some bytes that are."""
    cdef Py_ssize_t ahead = len(before)
    cdef str whole = PyUnicode_New(ahead + size, 127)
    cdef unsigned char* target = <unsigned char*>PyUnicode_1BYTE_DATA(whole)
    if ahead:
        memcpy(target, PyUnicode_1BYTE_DATA(before), ahead)
    memcpy(target + ahead, data, size)
    return whole


cdef object resolved(const Span* span, str base, str origin, str folder, Py_ssize_t longest):
    """The absolute URL of a link, or a Reason: as `normalise` does it, and what it takes as it is, is taken so here."""
    cdef Py_ssize_t size = span.end - span.begin
    cdef Place at = span.begin
    cdef str before = None
    if size == 0:
        return _INVALID
    if at[0] == c"/":
        if size > 1 and at[1] == c"/":
            if is_plain_place(at + 2, span.end):
                before = origin[: origin.index("/")]
        elif is_plain_path(at + 1, span.end):
            before = origin
    elif size >= 8 and memcmp(at, b"http", 4) == 0:
        at += 5 if at[4] == c"s" else 4
        if memcmp(at, b"://", 3) == 0 and is_plain_place(at + 3, span.end):
            before = ""
    elif is_plain_relative(at, span.end):
        before = origin + folder
    elif size > 5 and memcmp(at, b"data:", 5) == 0:
        return _SCHEME
    if before is None:
        return normalise(text(span), base, longest)
    return ascii_text(span.begin, size, before) if len(before) + size <= longest else _TOO_LONG


cdef bint is_plain_place(Place at, Place end) noexcept nogil:
    """Host, path and query as `_HOST/_PATH _QUERY` in `allmende.extract.urls`."""
    cdef Place label
    cdef bint letters, several = False
    while True:
        label, letters = at, True
        while at < end and KIND[at[0]] & IN_HOST:
            letters = letters and KIND[at[0]] & LETTER != 0
            at += 1
        if at == label or at >= end:
            return False
        if at[0] == c"/":
            return several and letters and at - label >= 2 and is_plain_path(at + 1, end)
        if at[0] != c"." and at[0] != c"-":
            return False
        several = True
        at += 1


cdef bint is_plain_relative(Place at, Place end) noexcept nogil:
    """As `_is_plain_relative` in `allmende.extract.urls`: no colon in the first segment, which begins with a letter, a digit or _."""
    cdef Place colon = at
    if not (KIND[at[0]] & IN_HOST or c"A" <= at[0] <= c"Z" or at[0] == c"_"):
        return False
    while colon < end and colon[0] != c"/" and colon[0] != c"?":
        if colon[0] == c":":
            return False
        colon += 1
    return is_plain_path(at + 1, end)


cdef bint is_plain_path(Place at, Place end) noexcept nogil:
    """`_PATH _QUERY` in `allmende.extract.urls`, with a byte before it."""
    while at < end:
        if KIND[at[0]] & IN_PATH:
            at += 1
        elif at[0] == c"." and at[-1] != c"/":
            at += 1
        elif at[0] == c"%" and not (end - at > 2 and at[1] == c"2" and (at[2] == c"e" or at[2] == c"E")):
            at += 1
        elif at[0] == c"?":
            at += 1
            while at < end and KIND[at[0]] & IN_QUERY:
                at += 1
            return at == end
        else:
            return False
    return True
