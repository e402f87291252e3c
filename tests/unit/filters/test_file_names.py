import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.filters.file_names import is_file_name

FILE_NAMES = """\
IMG_1234.JPG
DSC00012
IMG 1234
_DSC0815
DSC_0012 Kopie
P1010101
100_0815
DJI_0042
PXL_20230101_120000000
IMG-20190101-WA0001
FB_IMG_1577836800000
photo-1234-5.png
photo-1234-5
image_2019_03
Foto3
scan0001
Rom, Petersplatz.jpg
image.png (800x600)
Datei:Schloss Sanssouci.jpg
my_photo
gute-gene-schlechte-gene
red-shoes-2019
a1b2c3d4e5f6
d41d8cd98f00b204e9800998ecf8427e
550e8400-e29b-41d4-a716-446655440000
x7Kq2mZp9wLr
OLYMPUS DIGITAL CAMERA
SONY DSC
KODAK Digital Still Camera
WhatsApp Image 2020-03-01 at 12.30.11
Processed with VSCO with a6 preset
maxresdefault"""

CAPTIONS = """\
Foto 3
Foto 1989 Mauerfall
Original 1965 Mustang
Garmisch-Partenkirchen
Merry-go-round
Karl-Marx-Allee
Rhein-Main-Donau-Kanal
Boeing 747-400
F-16
S 500
Windows 95
Canon EOS 5D
COVID-19
Node.js logo
Booking.com
image of a cat
Bild: dpa
Sam 3 years old
Image processing with 3 filters
St. Pauli
Effaced facade
Apfel, jpg ist ein Format
Ελλάδα 2004
Снимка от 1989 година"""


@pytest.mark.parametrize("caption", FILE_NAMES.splitlines())
def test_these_are_file_names(caption):
    assert is_file_name(caption)


@pytest.mark.parametrize("caption", CAPTIONS.splitlines())
def test_these_are_not(caption):
    assert not is_file_name(caption)


@given(st.text(max_size=100))
def test_it_never_raises(text):
    assert is_file_name(text) in {True, False}


@given(st.text(st.characters(codec="utf-8"), max_size=60), st.sampled_from(["jpg", "PNG", "jpeg", "webp", "gif"]))
def test_an_extension_makes_a_file_name(stem, extension):
    assert is_file_name(f"{stem}.{extension}")
