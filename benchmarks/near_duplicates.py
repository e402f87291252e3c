"""MinHash signatures of texts: how fast, against datatrove; how good, against datasketch and the formula.

    python benchmarks/near_duplicates.py [speed] [quality]

speed: real documents of eleven languages (`text_corpus.py`), 14 bands of 8 functions on runs of 5 words. datatrove has FineWeb's
settings (SHA-1, 64 bits) and its tokenizer of each language; making shingles and signature is timed, loading tokenizers
and a first text of each language are not. Ours counts from the first text, with the table that it makes then. CPU seconds of one
process, the best of three. Daft and rensa have no n-grams over words of their own text rules: they get ours, made beforehand.

quality: documents that have nothing to do with each other, and copies with 1 to 40 % of the words replaced by others, deleted, or
swapped with the next one. A copy is found if it shares a band with its document. datasketch's index has equal parameters
and gets the same runs. What the formula expects follows from the exact Jaccard similarity of each pair.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import peers
from text_corpus import Document, real_documents
from text_presets import THEIR_CODES

from allmende.dedup.minhash import Options, Signer
from allmende.dedup.simplify import run_hashes, simplify, word_hashes

DATATROVE = ("datatrove==0.10.1", "spacy==3.8.18", "regex", "tokenizers", "xxhash")
LANGUAGES = frozenset(["en", "de", "fr", "es", "it", "nl", "pt", "da", "sv", "pl", "ro"])
RATES = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4)
WAYS = ("replaced", "deleted", "swapped")
BASES = 300
MOST_WORDS = 400
SEEDS = (1, 2, 3, 4)
"""What is found depends on the hash functions drawn: one draw may be a point off, as the formula says, too."""
UNRELATED = 0.02
"""Share of its runs that a document may have in common with all those before it."""

OUR_SPEED = """
import json, sys, time
from allmende.dedup.minhash import Options, Signer
texts = [text for language, text in json.load(open(sys.argv[1]))]
began = time.process_time()
signer = Signer(Options())
for text in texts:
    signer.sign(text)
print(time.process_time() - began)
"""

THEIR_SPEED = """
import json, sys, time
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
from datatrove.utils.hashing import HashConfig
texts = json.load(open(sys.argv[1]))
config = MinhashConfig(hash_config=HashConfig(hash_fc="sha1", precision=64), num_buckets=14, hashes_per_bucket=8, n_grams=5)
steps = {}
for language, text in texts:
    if language not in steps:
        steps[language] = MinhashDedupSignature("unused", config, language=language)
        steps[language].get_signature(steps[language].get_shingles(text))
began = time.process_time()
for language, text in texts:
    shingles = steps[language].get_shingles(text)
    if shingles.size:
        steps[language].get_signature(shingles)
print(time.process_time() - began)
"""

DATASKETCH = """
import json, sys
from datasketch import MinHash, MinHashLSH
data = json.load(open(sys.argv[1]))
def runs(text):
    words = text.split()
    return [" ".join(words[i : i + 5]).encode() for i in range(len(words) - 4)]
def signature(runs, seed):
    made = MinHash(num_perm=112, seed=seed)
    made.update_batch(runs)
    return made
bases, copies = [[runs(text) for text in data[name]] for name in ("bases", "copies")]
answers = []
for seed in data["seeds"]:
    index = MinHashLSH(num_perm=112, params=(14, 8))
    for number, each in enumerate(bases):
        index.insert(number, signature(each, seed))
    answers.append([sorted(index.query(signature(each, seed))) for each in copies])
print(json.dumps(answers))
"""


def speed(documents: list[Document]) -> None:
    """Prints CPU seconds of both sides."""
    texts = [(THEIR_CODES[d.language], d.text) for d in documents if d.language in LANGUAGES]
    python = peers.peer("datatrove-near", *DATATROVE) / "python"
    theirs, ours = _best(python, THEIR_SPEED, texts), _best(sys.executable, OUR_SPEED, texts)
    size = sum(len(text) for _, text in texts)
    print(f"{len(texts):,} documents, {size / 1e6:.1f} million characters\n")
    print("| | CPU s | ms a document | times as fast |\n|---|---|---|---|")
    for name, seconds in (("datatrove 0.10.1", theirs), ("Allmende", ours)):
        print(f"| {name} | {seconds:.2f} | {seconds / len(texts) * 1e3:.2f} | {theirs / seconds:.1f} |")


def _best(python: str | Path, script: str, texts: object, turns: int = 3) -> float:
    return min(float(_ask(python, script, texts)) for _ in range(turns))


def _ask(python: str | Path, script: str, question: object) -> str:
    with tempfile.TemporaryDirectory(dir=peers.CACHE) as folder:
        path = Path(folder) / "question.json"
        path.write_text(json.dumps(question), "utf-8")
        answer = subprocess.check_output([python, "-c", script, path], stderr=subprocess.DEVNULL, text=True)
    return answer.splitlines()[-1]


def quality(documents: list[Document]) -> None:
    """Prints what is found of the copies."""
    options = Options()
    bases = unrelated(documents)
    vocabulary = sorted({word for base in bases for word in base})
    plan = [(way, rate, number) for way in WAYS for rate in RATES for number in range(len(bases))]
    copies = [" ".join(edited(bases[number], way, rate, vocabulary, number)) for way, rate, number in plan]
    texts = [" ".join(base) for base in bases]
    likeness = np.array([jaccard(texts[number], copy) for (*_, number), copy in zip(plan, copies, strict=True)])
    expected = np.array([1 - (1 - each**options.rows) ** options.bands for each in likeness])
    answers = {"Allmende": [our_answers(Options(seed=seed), texts, copies) for seed in SEEDS]}
    python = peers.peer("datasketch", "datasketch==2.0.0") / "python"
    answers["datasketch"] = json.loads(_ask(python, DATASKETCH, {"bases": texts, "copies": copies, "seeds": SEEDS}))
    found = {
        name: np.mean(
            [[number in answer for (*_, number), answer in zip(plan, each, strict=True)] for each in draws], axis=0
        )
        for name, draws in answers.items()
    }
    print(
        f"\n{len(bases)} documents of up to {MOST_WORDS} words, {len(copies):,} copies, {len(SEEDS)} draws of functions\n"
    )
    print(
        "| words changed | how | Jaccard, mean | formula, % | Allmende, % | datasketch, % |\n|---|---|---|---|---|---|"
    )
    for rate in RATES:
        for way in WAYS:
            here = np.array([(w, r) == (way, rate) for w, r, _ in plan])
            shares = " | ".join(
                f"{100 * x[here].mean():.1f}" for x in (expected, found["Allmende"], found["datasketch"])
            )
            print(f"| {100 * rate:g} % | {way} | {likeness[here].mean():.2f} | {shares} |")
    print("\n| | formula | Allmende | datasketch |\n|---|---|---|---|")
    for name, here in (
        ("all copies", likeness >= 0),
        ("Jaccard of at least 0.8", likeness >= 0.8),
        ("0.6 to 0.8", (likeness >= 0.6) & (likeness < 0.8)),
        ("below 0.6", likeness < 0.6),
    ):
        shares = " | ".join(f"{100 * x[here].mean():.2f}" for x in (expected, found["Allmende"], found["datasketch"]))
        print(f"| recall, %: {name} ({here.sum():,}) | {shares} |")
    for title, share in (("of the right document", right), ("and with a Jaccard of at least 0.5", right_and_near)):
        values = " | ".join(
            f"{100 * np.mean([share(plan, each, likeness) for each in draws]):.2f}" for draws in answers.values()
        )
        print(f"| precision, %: {title} | | {values} |")


def right(plan: list[tuple[str, float, int]], answers: list[list[int]], _: np.ndarray) -> float:
    """Share of the pairs found that are a copy and its document."""
    pairs = [(number, other) for (*_, number), answer in zip(plan, answers, strict=True) for other in answer]
    return sum(number == other for number, other in pairs) / len(pairs)


def right_and_near(plan: list[tuple[str, float, int]], answers: list[list[int]], likeness: np.ndarray) -> float:
    """Share of the pairs found that are a copy and its document, and have half of their runs in common."""
    pairs = [
        (number, other, near)
        for (*_, number), answer, near in zip(plan, answers, likeness, strict=True)
        for other in answer
    ]
    return sum(number == other and near >= 0.5 for number, other, near in pairs) / len(pairs)


def unrelated(documents: list[Document]) -> list[list[str]]:
    """Simplified words of documents that hardly share a run."""
    known: set[int] = set()
    found: list[list[str]] = []
    for document in documents:
        words = simplify(document.text).split()[:MOST_WORDS]
        runs = set(runs_of(" ".join(words)))
        if document.language in LANGUAGES and len(words) >= 100 and len(runs & known) < UNRELATED * len(runs):
            known |= runs
            found.append(words)
        if len(found) == BASES:
            break
    return found


def edited(words: list[str], way: str, rate: float, vocabulary: list[str], seed: int) -> list[str]:
    """A copy with exactly this share of its words changed."""
    dice = random.Random(f"{seed}/{way}/{rate}")
    count = max(1, round(rate * len(words)))
    changed = list(words)
    if way == "swapped":
        for at in dice.sample(range(len(words) - 1), max(1, count // 2)):
            changed[at], changed[at + 1] = changed[at + 1], changed[at]
        return changed
    places = dice.sample(range(len(words)), count)
    if way == "replaced":
        for at in places:
            changed[at] = dice.choice(vocabulary)
        return changed
    gone = set(places)
    return [word for at, word in enumerate(words) if at not in gone]


def runs_of(text: str) -> list[int]:
    """Hashes of its runs of five words."""
    runs: list[int] = run_hashes(word_hashes(text), 5).tolist()
    return runs


def jaccard(one: str, other: str) -> float:
    """Exact similarity of their runs."""
    first, second = set(runs_of(one)), set(runs_of(other))
    return len(first & second) / len(first | second)


def our_answers(options: Options, bases: list[str], copies: list[str]) -> list[list[int]]:
    """For each copy the documents that share a band with it."""
    signer = Signer(options)
    index = np.array([signer.sign(base) for base in bases])
    return [np.flatnonzero((index == signer.sign(copy)).any(axis=1)).tolist() for copy in copies]


def main() -> None:
    """Measures, and prints Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["speed", "quality"])
    asked = parser.parse_args()
    peers.CACHE.mkdir(parents=True, exist_ok=True)
    print(f"{peers.machine()}\n")
    documents = real_documents(peers.CACHE)
    if "speed" in asked.what:
        speed(documents)
    if "quality" in asked.what:
        quality(documents)


if __name__ == "__main__":
    main()
