"""Images (audio and video later): what a file is, its pixels, and what is stored of it.

probe            format and size, read from the first bytes, nothing decoded
jpeg, ifd        the segments of a JPEG file; the tags of a TIFF or EXIF directory
exif             orientation, and the few facts that are kept
raster           file -> 8-bit pixels on white, as small as the target allows
resize           which size an image gets, and how; upright, cut, padded
colour           ICC profiles and CMYK -> sRGB
phash, preview   PDQ and BlurHash of the pixels
encode, strip    pixels -> file; file -> the same file without metadata
image            all of these in order: bytes -> sample or Reason
sample           what comes out
decoder          the same in processes of their own, which a hostile file may kill
decoder_process  the inside of such a process
"""
