"""Personal data in captions and documents, against datatrove's PIIFormatter (that of FineWeb): what is found, and how fast.

    python benchmarks/personal_data.py [found] [speed]

found: e-mail and IPv4 addresses in the labelled texts of tests/data/personal.toml, all that the peer knows. A finding is right
if it begins and ends as labelled. Addresses for documentation, of which the texts are made, count as public for the peer too.

speed: CPU seconds of one process, the best of three turns. Captions are all words of images in one WAT of 135 MB; documents
are the text of its pages. The peer formats one text after the other; ours goes through `replace_column`, 2,000 captions a
call as in a build, and through `replace` for documents.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import archive_inputs
import peers
from resiliparse.extract.html2text import extract_plain_text

from allmende.commoncrawl.wat import read_wat
from allmende.extract.wat_images import page_from_wat
from allmende.safety.personal import Finding, Kind, find
from allmende.schema import Reason
from allmende.testing.personal import Example, Score, read_examples, scores

LABELLED = Path(__file__).resolve().parent.parent / "tests" / "data" / "personal.toml"
TURNS = 3
KINDS = (Kind.EMAIL, Kind.IPV4)

PEER_FINDS = """
import json, sys
from datatrove.pipeline.formatters import PIIFormatter
formatter = PIIFormatter()
documentation = ("192.0.2.", "198.51.100.", "203.0.113.")
valid = lambda ip: formatter.ip_replacer.validator(ip) or ip.startswith(documentation)
json.dump([
    [["email", *m.span()] for m in formatter.emails_replacer.regex.finditer(text)]
    + [["ipv4", *m.span()] for m in formatter.ip_replacer.regex.finditer(text) if valid(m[0])]
    for text in json.load(open(sys.argv[1]))
], sys.stdout)
"""

PEER_SPEED = """
import json, sys, time
from datatrove.pipeline.formatters import PIIFormatter
formatter, texts = PIIFormatter(), json.load(open(sys.argv[1]))
began = time.process_time()
for text in texts:
    formatter.format(text)
print(time.process_time() - began)
"""

OUR_SPEED = """
import json, sys, time
import pyarrow as pa
from allmende.safety.personal import replace, replace_column
texts = json.load(open(sys.argv[1]))
slices = [pa.array(texts[i : i + 2000]) for i in range(0, len(texts), 2000)]
replace("warm up: info@example.org, +49 30 23125000")
began = time.process_time()
if sys.argv[2] == "captions":
    for part in slices:
        replace_column(part)
else:
    for text in texts:
        replace(text)
print(time.process_time() - began)
"""


def found(peer: Path, folder: Path) -> None:
    """Prints what each side finds."""
    examples = read_examples(LABELLED)
    path = folder / "labelled.json"
    path.write_text(json.dumps([example.text for example in examples]))
    kinds = {str(kind): kind for kind in KINDS}
    answers = json.loads(subprocess.check_output([peer / "python", "-c", PEER_FINDS, path], text=True))
    theirs = {
        example.text: [Finding(kinds[kind], begin, end) for kind, begin, end in answer]
        for example, answer in zip(examples, answers, strict=True)
    }
    print(f"{len(examples)} labelled texts\n\n| | kind | texts | right | wrong | missed | precision | recall |")
    print("|---|---|---|---|---|---|---|---|")
    for held_out in (False, True):
        part = [example for example in examples if example.held_out == held_out]
        _rows("datatrove 0.10.1", scores(part, theirs.__getitem__), part, held_out=held_out)
        _rows("allmende", scores(part, find), part, held_out=held_out)


def _rows(name: str, of: dict[Kind, Score], examples: list[Example], *, held_out: bool) -> None:
    title = "held out" if held_out else "all others"
    for kind in KINDS:
        score = of[kind]
        print(
            f"| {name} | {kind} | {len(examples)}, {title} | {score.right} | {score.wrong} | {score.missed} "
            f"| {score.precision:.2f} | {score.recall:.2f} |"
        )


def speed(peer: Path, folder: Path) -> None:
    """Prints how long each side takes."""
    print("\n| | texts | characters each | datatrove, µs a text | allmende, µs a text | MB/s | times as fast |")
    print("|---|---|---|---|---|---|---|")
    for name, texts in _texts().items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(texts))
        best = [1e9, 1e9]
        for _ in range(TURNS):
            for side, command in enumerate(
                ([peer / "python", "-c", PEER_SPEED, path], [sys.executable, "-c", OUR_SPEED, path, name])
            ):
                best[side] = min(best[side], float(subprocess.check_output(command, text=True)))
        theirs, ours = (1e6 * seconds / len(texts) for seconds in best)
        size = sum(len(text.encode()) for text in texts)
        print(
            f"| {name} | {len(texts):,} | {sum(map(len, texts)) / len(texts):,.0f} | {theirs:,.2f} | {ours:,.2f} "
            f"| {size / best[1] / 1e6:,.0f} | {theirs / ours:.1f} |"
        )


def _texts() -> dict[str, list[str]]:
    sources = archive_inputs.sources(peers.CACHE)
    (wat,) = archive_inputs.write_wats(peers.CACHE / "wat", sources, 1, 135)
    with wat.open("rb") as file:
        read = [capture if isinstance(capture, Reason) else page_from_wat(capture) for capture in read_wat(file)]
    pages = [page for page in read if not isinstance(page, Reason)]
    documents = [extract_plain_text(source.html.decode("utf-8", "replace")) for source in sources]
    return {
        "captions": [words for page in pages for link in page.images for words in link.words.values()],
        "documents": [document for document in documents if document],
    }


def main() -> None:
    """Measures, and prints Markdown."""
    wanted = sys.argv[1:] or ["found", "speed"]
    peers.CACHE.mkdir(parents=True, exist_ok=True)
    peer = peers.peer("datatrove", "datatrove==0.10.1", "regex")
    print(f"{peers.machine()}\n")
    with tempfile.TemporaryDirectory(dir=peers.CACHE) as folder:
        if "found" in wanted:
            found(peer, Path(folder))
        if "speed" in wanted:
            speed(peer, Path(folder))


if __name__ == "__main__":
    main()
