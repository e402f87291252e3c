"""Captions that no person wrote: file names, camera numbers, upload hashes, what cameras write into EXIF."""

import re

_PICTURE_FILE = re.compile(
    r"\.(?:jpe?g|jfif|png|gif|webp|avif|heic|bmp|tiff?|svgz?|ico|psd|eps|pdf|cr2|nef|dng|mp4|mov)(?:[\s_(\[-].{0,20})?$"
)
"""Ends with the extension of a picture, perhaps with a size behind it ("photo.jpg (800x600)")."""

_CAMERA_NUMBER = re.compile(
    r"""(?:img|imgp|imag|_?dsc[fin]?|pict|cimg|csc|hpim|kif|mvi|vid|gopr|dji|pxl|fb.img|sam_|sdc|wp_|p(?=\d{7})|s(?=\d{7}))
        [\ _.-]*\d{3,}[\W\d_]*(?:[a-z]{1,10}[\W\d_]*)?
    |\d{3}[_-]\d{4}
    |(?:image|pic|photo|foto|fotka|bild|picture|scan|pano|screenshot|screen|capture|received|signal|file|thumb|original)
        (?:[_.-]*\d[\W\d_]*|[_-]\d+(?:[_-][a-z0-9]+)*)""",
    re.VERBOSE | re.ASCII,
)
"""IMG_1234, DSC00012, P1010101, 100_0815, photo-1234-5.

First the prefixes of the DCF standard (JEITA CP-3461: four characters and four digits) as makers chose them, and of
phones; one short word may follow (edited, WA0001, copy). Last words that are no proof: only digits may follow, for
"Foto 1989 Mauerfall" is a caption.
"""

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+){3,}|(?=\D*\d)[a-z0-9]+(?:-[a-z0-9]+){2,}|\S*[^\W_]_\S+")
"""One token in small letters with three hyphens, two and a number, or an underscore: a file name's stem."""

_HASH = re.compile(
    r"(?=[a-z-]*\d)(?=[\d-]*[a-z])[0-9a-f-]{10,}|(?=(?:[a-z]*\d+[a-z]+){3})[a-z0-9_-]{12,}", re.IGNORECASE
)
"""Hexadecimal, a UUID, or letters and digits that change places three times."""

_CAMERA_TEXT = re.compile(
    r"(?:olympus|minolta|konica minolta|samsung|vivitar|kodak|casio|fuji\w*) digital (?:still )?camera"
    r"|(?:sony|nikon|canon|kodak) dsc|(?:exif|ocr|dcim)[\W_]?\w*|processed with (?:vsco|moldiv|snapseed|rookie)\b.*"
    r"|whatsapp (?:image|video|bild) [\d .:-]+.*|(?:max|hq|sd|mq)(?:res)?default\w*|created with \w+",
)
"""What cameras, phones and programs write into the description field by themselves."""


def is_file_name(caption: str) -> bool:
    """Whether all of the caption is a file name, a camera's number, a hash or a program's own text."""
    text = caption.lower()
    if "." in text[-26:] and _PICTURE_FILE.search(text, max(0, len(text) - 30)):
        return True
    if len(text) > 80:  # longer than any of the patterns below needs
        return False
    if _CAMERA_NUMBER.fullmatch(text) or _CAMERA_TEXT.fullmatch(text):
        return True
    return " " not in caption and bool(_SLUG.fullmatch(caption) or _HASH.fullmatch(text))
