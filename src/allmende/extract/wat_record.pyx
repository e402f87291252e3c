# cython: language_level=3
"""Usual WAT records, read without decoding what nobody asks for: the compiled way from a record to its image links.

`allmende.commoncrawl.wat` says what a record means, for records of any form; this reads most of them five times as
fast, and whatever it does not expect makes it say so (None) and leaves the record to the other. Expected is the form
since August 2019: no white space, path as a link's first key, HTML with a head, a container with lengths, strings
that are UTF-8. That is checked, but for one thing: what holds for the first link is taken to hold for all.
`tests/unit/extract/test_wat_record.py` compares the two.

`wat_scan.pxi` has what finds its way in JSON, `wat_image.pxi` what makes words and URLs of it, `wat_links.pxi` keeps them.

Nine tenths of a record are its list of links. Its end is guessed: the last `"}]`. Then the rest is read bracket by
bracket, so a guess inside a string, or in another list at another depth, ends in the middle of something.
Every pointer is compared with the end of the record before it is read.
"""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from libc.stdint cimport INT32_MAX, int32_t
from libc.string cimport memchr, memcmp, memcpy, strlen

import msgspec
import pyarrow as pa

from allmende.commoncrawl.wat import HeadLink, is_license
from allmende.extract.head import HEADER_NAMES, META_NAMES, RELS
from allmende.extract.page import Link
from allmende.extract.urls import normalise
from allmende.extract.words import collapse
from allmende.schema import Reason

include "wat_scan.pxi"
include "wat_links.pxi"
include "wat_image.pxi"

cdef const unsigned char* IMAGE = b'{"path":"IMG@/src"'
cdef Py_ssize_t IMAGE_SIZE = strlen(<const char*>IMAGE)
cdef Py_ssize_t BEFORE_AT = <Place>memchr(IMAGE, c"@", IMAGE_SIZE) - IMAGE
_NO_CAPTION = Reason.NO_CAPTION
cdef Names _header_names = Names(HEADER_NAMES)
cdef Names _meta_names = Names(META_NAMES)
cdef Names _rels = Names(RELS)


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
        if not self._has_head or self.url is None:
            raise ValueError("something is missing")
        if self.warc_file is None or self.warc_offset is None or self.warc_length is None:
            raise ValueError("something is missing")
        if self._links.begin is not NULL:
            self._read_license()
        return 0

    # Tokens

    cdef int _member(self, Span* key) except -1:
        """Move to the value of an object's next member, and note its key; 0 at the end.

        Before the first, `key.begin` is NULL.
        """
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
            name = _header_names.of(&key)
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
        known = _meta_names.of(&name)
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
        if _rels.of(&rel):
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
        cdef WatLinks images = WatLinks()
        cdef dict dropped = {}
        cdef Py_ssize_t wordless = 0
        cdef Py_ssize_t begin, alt_size, title_size
        cdef Span url, alt, title
        if not (origin and origin.isascii() and folder.isascii()):
            return None
        self._at = self._links.begin
        try:
            while self._next_image(&url, &alt, &title):
                begin = images._size
                write_collapsed(images, &alt)
                alt_size = images._size - begin
                write_collapsed(images, &title)
                title_size = images._size - begin - alt_size
                if alt_size == title_size == 0:
                    # Without words it is no candidate, whatever its URL: most such images are decoration.
                    wordless += 1
                    continue
                reason = write_resolved(images, &url, base, origin, folder, longest)
                if reason is None:
                    images._end(begin, alt_size, title_size, None, 0, None)
                else:
                    images._size = begin
                    dropped[reason] = dropped.get(reason, 0) + 1
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
