"""A decoder that does what its body says, to try what hostile files may do: the process and the protocol are the real ones.

`hang` decodes for ever, `abort` kills the process, `hoard` takes memory until there is none, `raise` runs into an error
nobody thought of, `lie` writes what is no answer; anything else is an image.
"""

import os

from allmende import child_process
from allmende.media import decoder_process, image


def obey(body, options, digests):
    if body == b"hang":
        while True:
            pass
    if body == b"abort":
        os.abort()
    if body == b"hoard":
        hoard = []
        while True:
            hoard.append(bytearray(10_000_000))
    if body == b"lie":
        os.write(0, (4).to_bytes(4, "little") + b"\xc1\xc1\xc1\xc1")
    if body == b"raise":
        raise ZeroDivisionError
    return image.process(body, options, digests)


if __name__ == "__main__":
    decoder_process.process = obey
    child_process.serve(decoder_process.answers)
