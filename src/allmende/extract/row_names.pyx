# cython: language_level=3
"""The names of rows, as `allmende.identity` defines them, for many rows at once: four hashes for each, compiled.

`allmende.extract.candidates` makes them in Python where this could not be built.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memchr, memcmp

cdef extern from "Python.h":
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL

cdef extern from "blake2b.h" nogil:
    void blake2b(
        uint8_t* digest, size_t size, const uint8_t* first, size_t first_size, const uint8_t* second, size_t second_size
    )

cdef const char* HEX = b"0123456789abcdef"


def row_names(list urls, list captions):
    """The hex digits of the uids, one after the other, and the 64-bit keys of URLs, of their hosts, and of captions in
    lower case, in the byte order of the machine.

    Args:
        urls: Normalised URLs.
        captions: As many captions.
    """
    cdef Py_ssize_t rows = len(urls)
    cdef bytes uids = PyBytes_FromStringAndSize(NULL, rows * 32)
    cdef bytes url_keys = PyBytes_FromStringAndSize(NULL, rows * 8)
    cdef bytes host_keys = PyBytes_FromStringAndSize(NULL, rows * 8)
    cdef bytes caption_keys = PyBytes_FromStringAndSize(NULL, rows * 8)
    cdef char* uid = PyBytes_AS_STRING(uids)
    cdef uint64_t* url_key = <uint64_t*>PyBytes_AS_STRING(url_keys)
    cdef uint64_t* host_key = <uint64_t*>PyBytes_AS_STRING(host_keys)
    cdef uint64_t* caption_key = <uint64_t*>PyBytes_AS_STRING(caption_keys)
    cdef Py_ssize_t row, url_size, caption_size, lower_size, host_size, known_size = -1
    cdef const char* url
    cdef const char* caption
    cdef const char* lower
    cdef const char* host
    cdef const char* known = b""
    cdef uint64_t known_key = 0
    cdef uint8_t digest[16]
    cdef int i
    if len(captions) != rows:
        raise ValueError("not as many captions as URLs")
    for row in range(rows):
        url = PyUnicode_AsUTF8AndSize(urls[row], &url_size)
        caption = PyUnicode_AsUTF8AndSize(captions[row], &caption_size)
        lowered = captions[row].lower()
        lower = PyUnicode_AsUTF8AndSize(lowered, &lower_size)
        # The zero byte behind the URL is the one that stands between the two.
        blake2b(digest, 16, <const uint8_t*>url, url_size + 1, <const uint8_t*>caption, caption_size)
        for i in range(16):
            uid[0] = HEX[digest[i] >> 4]
            uid[1] = HEX[digest[i] & 15]
            uid += 2
        url_key[row] = key(url, url_size)
        caption_key[row] = key(lower, lower_size)
        host = url
        host_size = url_size
        find_host(&host, &host_size)
        if host_size != known_size or memcmp(host, known, host_size):  # images in a row are mostly on one host
            known, known_size, known_key = host, host_size, key(host, host_size)
        host_key[row] = known_key
    return uids, url_keys, host_keys, caption_keys


cdef uint64_t key(const char* text, Py_ssize_t size) noexcept nogil:
    cdef uint8_t digest[8]
    cdef uint64_t value = 0
    cdef int i
    blake2b(digest, 8, <const uint8_t*>text, size, NULL, 0)
    for i in range(8):
        value = value << 8 | digest[i]
    return value


cdef int find_host(const char** text, Py_ssize_t* size) except -1:
    """What `allmende.extract.urls.split_host` finds in a normalised URL."""
    cdef const char* end = text[0] + size[0]
    cdef const char* at = <const char*>memchr(text[0], c"/", size[0])
    cdef const char* begin
    cdef const char* stop
    if at is NULL or end - at < 2 or at[1] != c"/":
        raise ValueError("not a normalised URL")
    begin = at + 2
    stop = <const char*>memchr(begin, c"/", end - begin)
    if stop is NULL:
        stop = end
    at = <const char*>memchr(begin, c"@", stop - begin)
    while at is not NULL:
        begin = at + 1
        at = <const char*>memchr(begin, c"@", stop - begin)
    if begin < stop and begin[0] == c"[":
        at = <const char*>memchr(begin, c"]", stop - begin)
        stop = stop if at is NULL else at + 1
    else:
        at = <const char*>memchr(begin, c":", stop - begin)
        stop = stop if at is NULL else at
    text[0], size[0] = begin, stop - begin
    return 0
