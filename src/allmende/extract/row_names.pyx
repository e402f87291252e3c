# cython: language_level=3
"""The names of rows, as `allmende.identity` defines them, for many rows at once: four hashes for each, compiled.

`allmende.extract.candidates` makes them in Python where this could not be built.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int32_t, uint8_t, uintptr_t
from libc.string cimport memchr, memcmp, memcpy, memset

import pyarrow as pa

cdef extern from "Python.h":
    str PyUnicode_DecodeUTF8(const char* data, Py_ssize_t size, const char* errors)

cdef extern from "blake2b.h" nogil:
    enum: BLAKE2B_BLOCK

    ctypedef struct Job "struct blake2b_job":
        const uint8_t* message
        size_t size
        uint8_t* digest
        size_t words

    void blake2b_all(const Job* jobs, size_t count)

cdef struct Text:
    const uint8_t* begin
    Py_ssize_t size

cdef struct Column:
    const int32_t* ends
    const uint8_t* data

cdef const uint8_t* NOTHING = b""

cdef struct Messages:
    Job* job  # the next
    uint8_t* at  # where its message goes


def row_names(urls, captions):
    """Digests of rows: 16 bytes for each uid, 8 for each key of a URL, of its host, and of a caption in lower case.

    Args:
        urls: Normalised URLs, an Arrow array of strings without nulls.
        captions: As many captions, likewise.

    Raises:
        TypeError: They are arrays of another type.
        ValueError: A URL is not normalised, or has no caption.
    """
    cdef Py_ssize_t rows = len(urls)
    cdef Column all_urls = column(urls)
    cdef Column all_captions = column(captions)
    cdef bytes uids = PyBytes_FromStringAndSize(NULL, 16 * rows)
    cdef bytes url_keys = PyBytes_FromStringAndSize(NULL, 8 * rows)
    cdef bytes host_keys = PyBytes_FromStringAndSize(NULL, 8 * rows)
    cdef bytes caption_keys = PyBytes_FromStringAndSize(NULL, 8 * rows)
    cdef bytearray as_before = bytearray(rows)
    cdef list lowered = []
    cdef uint8_t* uid = <uint8_t*>PyBytes_AS_STRING(uids)
    cdef uint8_t* url_key = <uint8_t*>PyBytes_AS_STRING(url_keys)
    cdef uint8_t* host_key = <uint8_t*>PyBytes_AS_STRING(host_keys)
    cdef uint8_t* caption_key = <uint8_t*>PyBytes_AS_STRING(caption_keys)
    cdef Py_ssize_t row, room
    cdef Text url, caption, host, known
    cdef Messages to
    cdef Job* jobs = NULL
    cdef uint8_t* messages = NULL
    cdef uint8_t* target
    if len(captions) != rows or urls.null_count or captions.null_count:
        raise ValueError("not as many captions as URLs")
    room = (4 * BLAKE2B_BLOCK + 1) * rows
    for row in range(rows):
        caption = text(&all_captions, row)
        lowered.append(None if is_ascii(caption) or is_simple(caption) else in_lower_case(caption))
        room += 3 * text(&all_urls, row).size + caption.size
        room += caption.size if lowered[row] is None else len(lowered[row])
    try:
        jobs = <Job*>PyMem_Malloc((4 * rows + 1) * sizeof(Job))
        messages = <uint8_t*>PyMem_Malloc(room + 1)
        if jobs is NULL or messages is NULL:
            raise MemoryError
        to.job, to.at = jobs, messages
        known.size = -1
        for row in range(rows):
            url, caption = text(&all_urls, row), text(&all_captions, row)
            memcpy(message(&to, url.size, url_key + 8 * row, 1), url.begin, url.size)
            target = message(&to, url.size + 1 + caption.size, uid + 16 * row, 2)
            memcpy(target, url.begin, url.size)
            target[url.size] = 0
            memcpy(target + url.size + 1, caption.begin, caption.size)
            if lowered[row] is None:
                lower_simple(message(&to, caption.size, caption_key + 8 * row, 1), caption)
            else:
                room = len(lowered[row])
                memcpy(message(&to, room, caption_key + 8 * row, 1), PyBytes_AS_STRING(lowered[row]), room)
            host = host_of(url)
            if host.size == known.size and memcmp(host.begin, known.begin, host.size) == 0:
                as_before[row] = True  # images in a row are mostly on one host
            else:
                memcpy(message(&to, host.size, host_key + 8 * row, 1), host.begin, host.size)
                known = host
        blake2b_all(jobs, to.job - jobs)
    finally:
        PyMem_Free(messages)
        PyMem_Free(jobs)
    for row in range(rows):
        if as_before[row]:
            memcpy(host_key + 8 * row, host_key + 8 * (row - 1), 8)
    return uids, url_keys, host_keys, caption_keys


cdef Column column(array):
    """The strings of an Arrow array, which has to stay alive."""
    cdef Column found
    if array.type != pa.string():
        raise TypeError(f"not strings but {array.type}")
    _, ends, data = array.buffers()
    found.ends, found.data = NULL, NOTHING
    if ends is not None:
        found.ends = <const int32_t*><uintptr_t>ends.address + <Py_ssize_t>array.offset
    if data is not None:
        found.data = <const uint8_t*><uintptr_t>data.address
    return found


cdef inline Text text(const Column* column, Py_ssize_t row) noexcept nogil:
    cdef Text found
    found.begin, found.size = column.data + column.ends[row], column.ends[row + 1] - column.ends[row]
    return found


cdef inline uint8_t* message(Messages* to, Py_ssize_t size, uint8_t* digest, size_t words) noexcept nogil:
    """Make a job of a message, which the caller writes to the place returned; behind it are zeros already."""
    cdef Py_ssize_t padded = max(1, (size + BLAKE2B_BLOCK - 1) // BLAKE2B_BLOCK) * BLAKE2B_BLOCK
    cdef uint8_t* begin = to.at
    memset(begin + padded - BLAKE2B_BLOCK, 0, BLAKE2B_BLOCK)
    to.job.message, to.job.size, to.job.digest, to.job.words = begin, size, digest, words
    to.job += 1
    to.at += padded
    return begin


cdef bint is_ascii(Text text) noexcept nogil:
    cdef uint8_t bits = 0
    cdef Py_ssize_t at
    for at in range(text.size):
        bits |= text.begin[at]
    return bits < 128


cdef bint is_simple(Text text) noexcept nogil:
    """Whether it has only letters of Latin-1 and the dashes and quotation marks from U+2000 on: `lower_simple` can do that."""
    cdef Py_ssize_t at = 0
    while at < text.size:
        if text.begin[at] < 128:
            at += 1
        elif text.begin[at] == 0xC2 or text.begin[at] == 0xC3:
            at += 2
        elif text.begin[at] == 0xE2 and at + 1 < text.size and text.begin[at + 1] == 0x80:
            at += 3
        else:
            return False
    return True


cdef void lower_simple(uint8_t* target, Text text) noexcept nogil:
    cdef Py_ssize_t at
    cdef uint8_t byte, before = 0
    for at in range(text.size):
        byte = text.begin[at]
        if before == 0xC3:
            target[at] = byte | (byte <= 0x9E and byte != 0x97) << 5  # À to Þ, but not the multiplication sign
        else:
            target[at] = byte | (c"A" <= byte <= c"Z") << 5
        before = byte


cdef bytes in_lower_case(Text text):
    return PyUnicode_DecodeUTF8(<const char*>text.begin, text.size, NULL).lower().encode()


cdef Text host_of(Text url) except *:
    """What `allmende.extract.urls.split_host` finds in a normalised URL."""
    cdef Text host
    cdef const uint8_t* end = url.begin + url.size
    cdef const uint8_t* at = <const uint8_t*>memchr(url.begin, c"/", url.size)
    cdef const uint8_t* begin
    cdef const uint8_t* stop
    if at is NULL or end - at < 2 or at[1] != c"/":
        raise ValueError("not a normalised URL")
    begin = at + 2
    stop = <const uint8_t*>memchr(begin, c"/", end - begin)
    if stop is NULL:
        stop = end
    at = <const uint8_t*>memchr(begin, c"@", stop - begin)
    while at is not NULL:
        begin = at + 1
        at = <const uint8_t*>memchr(begin, c"@", stop - begin)
    if begin < stop and begin[0] == c"[":
        at = <const uint8_t*>memchr(begin, c"]", stop - begin)
        stop = stop if at is NULL else at + 1
    else:
        at = <const uint8_t*>memchr(begin, c":", stop - begin)
        stop = stop if at is NULL else at
    host.begin, host.size = begin, stop - begin
    return host
