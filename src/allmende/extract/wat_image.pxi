"""What an image link says: its words, collapsed, and its URL, resolved, as Python does it. Part of wat_record.pyx."""

_INVALID, _SCHEME, _TOO_LONG = Reason.URL_INVALID, Reason.URL_SCHEME, Reason.URL_TOO_LONG


cdef int write_collapsed(WatLinks links, const Span* span) except -1:
    """Write a string's text, white space collapsed: as `collapse` does it."""
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
        return links._write_str(collapse(text(span)))
    if bits >= 128:
        words = PyUnicode_DecodeUTF8(<const char*>inner.begin, inner.end - inner.begin, NULL)
        if not words.isprintable():
            return links._write_str(collapse(words))
    return links._write(inner.begin, inner.end - inner.begin)


cdef object write_resolved(WatLinks links, const Span* span, str base, str origin, str folder, Py_ssize_t longest):
    """Write the absolute URL of a link, or return a Reason: as `normalise` does it; what it takes as it is, is taken so here."""
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
        whole = normalise(text(span), base, longest)
        if type(whole) is not str:
            return whole
        links._write_str(whole)
        return None
    if len(before) + size > longest:
        return _TOO_LONG
    links._write_str(before)
    links._write(span.begin, size)
    return None


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
    """As `_is_plain_relative` there: no colon in the first segment, which begins with a letter, a digit or _."""
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
