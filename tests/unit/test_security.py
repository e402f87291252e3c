"""SECURITY.md claims nothing that no test shows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

HOME = Path(__file__).parents[2]
TEXT = (HOME / "SECURITY.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", TEXT)))


@pytest.mark.parametrize(("file", "test"), NAMED, ids=[test for _, test in NAMED])
def test_every_test_that_is_named_exists(file, test):
    assert re.search(rf"^(?:async )?def {test}\(", (HOME / file).read_text("utf-8"), re.MULTILINE), (
        f"{file} has no {test}"
    )


def test_every_defence_names_a_test():
    section = TEXT.partition("## What stands in between")[2].partition("## What is not defended")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ") and not line.startswith("| threat |")]
    assert len(rows) > 20
    assert [row for row in rows if "::test_" not in row.rpartition("| `")[2] and "`tests/" not in row] == []


TEMPTED = """
import io, sys
connections = []
sys.addaudithook(lambda event, _: connections.append(event) if event.startswith(("socket.connect", "socket.getaddr")) else None)
from PIL import Image
from allmende.media.image import process
from allmende.recipe import Images
from allmende.testing.fuzz import TARGETS

xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
xmp += '<rdf:Description xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="http://127.0.0.1:9/a.c2pa"/>'
xmp += '<rdf:Description xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" plus:DataMining="DMI-PROHIBITED"/>'
out = io.BytesIO()
Image.linear_gradient("L").convert("RGB").save(out, "JPEG", xmp=(xmp + "</rdf:RDF></x:xmpmeta>").encode())
sample = process(out.getvalue(), Images(min_bytes=0, drop_single_colour=False))
assert [signal.name for signal in sample.signals] == ["iptc_plus"], sample
for name in ("image", "c2pa", "xmp", "rsl"):
    for seed in TARGETS[name].seeds():
        TARGETS[name].run(seed)
assert connections == [], connections
"""


def test_reading_an_image_opens_no_connection():
    """c2pa-python asks a URL that stands in the file; our own readers do not."""
    done = subprocess.run([sys.executable, "-c", TEMPTED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
