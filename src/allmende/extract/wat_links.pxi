"""The image links of a page as bytes, until they are columns of Arrow: none of their words becomes an object. Part of wat_record.pyx."""

cdef enum:
    URL, FOUND_IN, ALT, TITLE, SAID
    FEW = 1_000  # comparisons of URLs that cost less than a table of them

cdef struct Entry:
    Py_ssize_t begin  # in the text, where alt, title and URL stand one behind the other
    Py_ssize_t alt  # bytes; none if it has none
    Py_ssize_t title
    Py_ssize_t url
    Py_ssize_t said  # number of what the head says about it; negative if it says nothing
    int found_in

_COLUMNS = {"url": URL, "found_in": FOUND_IN, "alt": ALT, "title": TITLE, "og": SAID}
_PLACES = (b"img", b"og:image", b"twitter:image", b"image_src")
_PLACE_NUMBERS = {name.decode(): number for number, name in enumerate(_PLACES)}


@cython.final
cdef class WatLinks:
    """`allmende.extract.page.Links` of a WAT: of words they have alt, title and what the head says."""

    cdef Entry* _entries
    cdef Py_ssize_t _count, _entry_room
    cdef unsigned char* _text
    cdef Py_ssize_t _size, _room
    cdef list _said

    def __cinit__(self):
        self._said = []

    def __dealloc__(self):
        PyMem_Free(self._entries)
        PyMem_Free(self._text)

    def __len__(self):
        return self._count

    def __getitem__(self, Py_ssize_t place):
        if not 0 <= place < self._count:
            raise IndexError(place)
        told = {name: self._words(place, column) for name, column in _COLUMNS.items()}
        url, found_in = told.pop("url"), told.pop("found_in")
        return Link(url, found_in, {name: words for name, words in told.items() if words is not None})

    def __eq__(self, other):
        return list(self) == list(other)

    def append(self, link):
        cdef Py_ssize_t begin = self._size
        cdef Py_ssize_t alt
        words = dict(link.words)
        found_in, og = _PLACE_NUMBERS[link.found_in], words.pop("og", None)
        self._write_str(words.pop("alt", ""))
        alt = self._size - begin
        self._write_str(words.pop("title", ""))
        if words or link.text_before or link.text_after:
            raise ValueError(f"in no WAT: {link}")
        self._end(begin, alt, self._size - begin - alt, link.url, found_in, og)

    def add_named(self, named):
        cdef Py_ssize_t place, wordless = 0
        cdef dict known = None
        if len(named) * (self._count + len(named)) > FEW:
            known = {self._words(place, URL): place for place in reversed(range(self._count))}
        for url, found_in, words in named:
            place = self._place_of(url) if known is None else known.get(url, -1)
            if place < 0 and words:
                self._end(self._size, 0, 0, url, _PLACE_NUMBERS[found_in], words)
                if known is not None:
                    known[url] = self._count - 1
            elif not words:
                wordless += place < 0
            elif self._entries[place].said < 0:
                self._say(place, words)
        return wordless

    @staticmethod
    def columns(pages):
        cdef Py_ssize_t rows = 0
        cdef WatLinks links
        for links in pages:
            rows += links._count
        made = {name: column_of(pages, rows, column) for name, column in _COLUMNS.items()}
        return {name: array for name, array in made.items() if array.null_count < rows or name in ("url", "found_in")}

    # Writing: words of a link, then `_end`

    cdef int _write(self, const void* data, Py_ssize_t size) except -1:
        if self._room - self._size <= size:
            self._text = <unsigned char*>larger(self._text, 2 * self._room + size + 1_000)
            self._room = 2 * self._room + size + 1_000
        memcpy(self._text + self._size, data, size)
        self._size += size
        return 0

    cdef int _write_str(self, str text) except -1:
        cdef Py_ssize_t size
        cdef const char* data = PyUnicode_AsUTF8AndSize(text, &size)
        return self._write(data, size)

    cdef int _end(self, Py_ssize_t begin, Py_ssize_t alt, Py_ssize_t title, str url, int found_in, str said) except -1:
        """A link of what was written since `begin`, so many bytes of alt and title, and of its URL, which may stand there already."""
        cdef Entry* entry
        if url is not None:
            self._write_str(url)
        if self._count == self._entry_room:
            self._entries = <Entry*>larger(self._entries, (2 * self._entry_room + 16) * sizeof(Entry))
            self._entry_room = 2 * self._entry_room + 16
        entry = self._entries + self._count
        entry.begin, entry.alt, entry.title, entry.url = begin, alt, title, self._size - begin - alt - title
        entry.found_in, entry.said = found_in, -1
        self._count += 1
        if said is not None:
            self._say(self._count - 1, said)
        return 0

    cdef int _say(self, Py_ssize_t place, str words) except -1:
        # Not copied: the title of a page may be as long as the page, and is said about each of its images.
        self._entries[place].said = len(self._said)
        self._said.append(words)
        return 0

    # Reading

    cdef Span _piece(self, Py_ssize_t place, int column) except *:
        """What one link has in one column; nothing, at NULL, if it has none."""
        cdef Entry* entry = self._entries + place
        cdef Py_ssize_t size = 0
        cdef Span piece
        piece.begin = self._text + entry.begin
        if column == URL:
            piece.begin += entry.alt + entry.title
            size = entry.url
        elif column == ALT:
            size = entry.alt
        elif column == TITLE:
            piece.begin += entry.alt
            size = entry.title
        elif column == FOUND_IN:
            piece.begin = <Place>PyBytes_AS_STRING(_PLACES[entry.found_in])
            size = PyBytes_GET_SIZE(_PLACES[entry.found_in])
        elif entry.said >= 0:
            piece.begin = <Place>PyUnicode_AsUTF8AndSize(self._said[entry.said], &size)
        if size == 0:
            piece.begin = NULL
        piece.end = piece.begin + size
        return piece

    cdef str _words(self, Py_ssize_t place, int column):
        cdef Span piece = self._piece(place, column)
        if piece.begin is NULL:
            return None
        return PyUnicode_DecodeUTF8(<const char*>piece.begin, piece.end - piece.begin, NULL)

    cdef Py_ssize_t _place_of(self, str url) except -2:
        """The first link with this URL; -1 if there is none."""
        cdef Py_ssize_t size
        cdef const char* data = PyUnicode_AsUTF8AndSize(url, &size)
        cdef Py_ssize_t place
        cdef Span piece
        for place in range(self._count):
            piece = self._piece(place, URL)
            if piece.begin is not NULL and piece.end - piece.begin == size and memcmp(piece.begin, data, size) == 0:
                return place
        return -1


cdef void* larger(void* memory, size_t size) except NULL:
    cdef void* found = PyMem_Realloc(memory, size)
    if found is NULL:
        raise MemoryError
    return found


cdef object column_of(pages, Py_ssize_t rows, int column):
    """One column of the links of pages, so many rows."""
    cdef bytes ends = PyBytes_FromStringAndSize(NULL, (rows + 1) * sizeof(int32_t))
    cdef bytes valid = bytes((rows + 7) // 8)
    cdef bytes text
    cdef int32_t* end = <int32_t*>PyBytes_AS_STRING(ends)
    cdef unsigned char* bits = <unsigned char*>PyBytes_AS_STRING(valid)
    cdef unsigned char* at
    cdef Py_ssize_t size = 0, nulls = 0, row = 0, place
    cdef WatLinks links
    cdef Span piece
    end[0] = 0
    for links in pages:
        for place in range(links._count):
            piece = links._piece(place, column)
            size += piece.end - piece.begin
            if size > INT32_MAX:
                raise OverflowError("more words than a column holds")
            nulls += piece.begin is NULL
            bits[row >> 3] |= (piece.begin is not NULL) << (row & 7)
            row += 1
            end[row] = <int32_t>size
    text = PyBytes_FromStringAndSize(NULL, size)
    at = <unsigned char*>PyBytes_AS_STRING(text)
    for links in pages:
        for place in range(links._count):
            piece = links._piece(place, column)
            if piece.begin is not NULL:
                memcpy(at, piece.begin, piece.end - piece.begin)
                at += piece.end - piece.begin
    buffers = map(pa.py_buffer, (ends, text, valid))
    return pa.StringArray.from_buffers(rows, *buffers, nulls)
