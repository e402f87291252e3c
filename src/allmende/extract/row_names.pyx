# cython: language_level=3
"""The names of rows, as `allmende.identity` defines them, for many rows at once: four hashes for each, compiled.

`allmende.extract.candidates` makes them in Python where this could not be built.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport uint8_t
from libc.string cimport memchr, memcmp, memcpy

cdef extern from "Python.h":
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL

cdef extern from "blake2b.h" nogil:
    ctypedef struct Job "struct blake2b_job":
        const uint8_t* first
        const uint8_t* second
        size_t first_size
        size_t second_size
        uint8_t* digest
        size_t size

    void blake2b_all(const Job* jobs, size_t count)


def row_names(list urls, list captions):
    """Digests of rows: 16 bytes for each uid, 8 for each key of a URL, of its host, and of a caption in lower case.

    Args:
        urls: Normalised URLs.
        captions: As many captions.

    Raises:
        ValueError: A URL is not normalised, or has no caption; or there is a lone surrogate.
    """
    cdef Py_ssize_t rows = len(urls)
    cdef list lowered = [caption.lower() for caption in captions]
    cdef bytes uids = PyBytes_FromStringAndSize(NULL, 16 * rows)
    cdef bytes url_keys = PyBytes_FromStringAndSize(NULL, 8 * rows)
    cdef bytes host_keys = PyBytes_FromStringAndSize(NULL, 8 * rows)
    cdef bytes caption_keys = PyBytes_FromStringAndSize(NULL, 8 * rows)
    cdef bytearray as_before = bytearray(rows)
    cdef char* host_key = PyBytes_AS_STRING(host_keys)
    cdef Job* jobs
    cdef Job* job
    cdef Job host
    cdef Job known
    cdef Py_ssize_t row
    if len(captions) != rows:
        raise ValueError("not as many captions as URLs")
    known.first, known.first_size = NULL, 0
    jobs = <Job*>PyMem_Malloc((4 * rows + 1) * sizeof(Job))
    if jobs is NULL:
        raise MemoryError
    job = jobs
    try:
        for row in range(rows):
            note(job, urls[row], PyBytes_AS_STRING(url_keys) + 8 * row)
            host = host_of(job)
            job[1] = job[0]
            job[1].digest, job[1].size = <uint8_t*>PyBytes_AS_STRING(uids) + 16 * row, 16
            job[1].first_size += 1  # the zero byte behind the URL is the one that stands between the two
            job[1].second = <const uint8_t*>PyUnicode_AsUTF8AndSize(captions[row], <Py_ssize_t*>&job[1].second_size)
            note(job + 2, lowered[row], PyBytes_AS_STRING(caption_keys) + 8 * row)
            job += 3
            if row and host.first_size == known.first_size and memcmp(host.first, known.first, host.first_size) == 0:
                as_before[row] = True  # images in a row are mostly on one host
                continue
            host.digest = <uint8_t*>host_key + 8 * row
            job[0] = known = host
            job += 1
        blake2b_all(jobs, job - jobs)
        for row in range(rows):
            if as_before[row]:
                memcpy(host_key + 8 * row, host_key + 8 * (row - 1), 8)
    finally:
        PyMem_Free(jobs)
    return uids, url_keys, host_keys, caption_keys


cdef int note(Job* job, object text, char* digest) except -1:
    """Make a job of a text's key."""
    cdef Py_ssize_t size
    job.first = <const uint8_t*>PyUnicode_AsUTF8AndSize(text, &size)
    job.first_size, job.second, job.second_size = size, NULL, 0
    job.digest, job.size = <uint8_t*>digest, 8
    return 0


cdef Job host_of(const Job* url) except *:
    """A job for the key of what `allmende.extract.urls.split_host` finds in a normalised URL."""
    cdef Job host = url[0]
    cdef const uint8_t* end = url.first + url.first_size
    cdef const uint8_t* at = <const uint8_t*>memchr(url.first, c"/", url.first_size)
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
    host.first, host.first_size = begin, stop - begin
    return host
