"""Everything in docs/performance.md, side by side with the peers: `make bench`. Prints Markdown.

    python benchmarks/run.py [NAME ...]

Takes about an hour for all of it. The peers are installed by name in environments of their own below .cache/bench.
"""

import subprocess
import sys
from pathlib import Path

BENCHMARKS = {
    "extract_wat": "WAT → candidates",
    "extract_warc": "WARC → candidates",
    "fetch_images": "URL list → WebDataset",
    "memory": "Memory of a fetch",
    "dedup_memory": "Exact dedup of 100 million rows",
    "main_text": "Main text of pages",
    "document_language": "Language of texts",
    "near_duplicates": "MinHash signatures of texts",
    "near_memory": "Clusters of 10 million documents",
    "repeats": "Lines that repeat on a host",
    "text_chain": "WARC → filtered documents",
    "text_memory": "Memory of a build of text",
    "decode_images": "Image decoding",
    "fetch_client": "HTTP client",
    "personal_data": "Personal data in texts",
    "permission_verdicts": "Verdicts for a million URLs",
    "pdq_index": "Perceptual hashes against a list",
    "takedown": "Take-down log and patches",
    "text_presets": "Presets for documents",
}


def main() -> None:
    """Runs the named ones, or all."""
    home = Path(__file__).parent
    for name in sys.argv[1:] or BENCHMARKS:
        print(f"\n## {BENCHMARKS[name]}\n\n`python benchmarks/{name}.py`\n", flush=True)
        subprocess.run([sys.executable, home / f"{name}.py"], check=True)


if __name__ == "__main__":
    main()
