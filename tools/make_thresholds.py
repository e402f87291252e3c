"""Writes src/allmende/filters/quality/data/fineweb-2.toml from a checkout of huggingface/fineweb-2.

python tools/make_thresholds.py path/to/fineweb-2
"""

import json
import subprocess
import sys
from pathlib import Path

import yaml

OUT = Path(__file__).parent.parent / "src/allmende/filters/quality/data/fineweb-2.toml"
LANGUAGES = {
    "bg": "bul_Cyrl",
    "hr": "hrv_Latn",
    "cs": "ces_Latn",
    "da": "dan_Latn",
    "nl": "nld_Latn",
    "et": "ekk_Latn",
    "fi": "fin_Latn",
    "fr": "fra_Latn",
    "de": "deu_Latn",
    "el": "ell_Grek",
    "hu": "hun_Latn",
    "ga": "gle_Latn",
    "it": "ita_Latn",
    "lv": "lvs_Latn",
    "lt": "lit_Latn",
    "mt": "mlt_Latn",
    "pl": "pol_Latn",
    "pt": "por_Latn",
    "ro": "ron_Latn",
    "sk": "slk_Latn",
    "sl": "slv_Latn",
    "es": "spa_Latn",
    "sv": "swe_Latn",
    "uk": "ukr_Cyrl",
    "tr": "tur_Latn",
    "ar": "arb_Arab",
    "zh": "cmn_Hani",
    "nb": "nob_Latn",
    "nn": "nno_Latn",
    "ca": "cat_Latn",
    "eu": "eus_Latn",
    "gl": "glg_Latn",
    "is": "isl_Latn",
    "ru": "rus_Cyrl",
}
KEYS = (
    *("language_score", "dup_line_frac", "line_punct_thr", "new_line_ratio", "min_avg_word_length"),
    *("max_avg_word_length", "max_non_alpha_words_ratio"),
)


def main() -> None:
    """Writes the file."""
    checkout = sys.argv[1]
    commit = subprocess.run(["git", "-C", checkout, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    lines = [
        "# Thresholds of FineWeb-2 (Penedo et al. 2025) for each language, from huggingface/fineweb-2,",
        f"# commit {commit.stdout[:12]}, configs/. Licence: Apache-2.0. Written by tools/make_thresholds.py.",
    ]
    for code, name in LANGUAGES.items():
        shown = ["git", "-C", checkout, "show", f"HEAD:configs/{name}.yml"]
        config = yaml.safe_load(subprocess.run(shown, capture_output=True, text=True, check=True).stdout)
        lines += ["", f"[{code}] # {name}"]
        lines += [f"{key} = {config[key]}" for key in KEYS]
        lines += [f"top_{n}_gram = {share}" for n, share in config["top_n_grams"]]
        lines += [f"dup_{n}_gram = {share}" for n, share in config["dup_n_grams"]]
        lines.append(f"stop_words = {json.dumps(config['stopwords'], ensure_ascii=False)}")
    OUT.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
