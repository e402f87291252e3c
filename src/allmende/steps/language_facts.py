"""How many documents of each language a step kept, and dropped for which Reason: facts of manifests such as `de/kept`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from allmende.parts import Tally

KEPT = "kept"
Mask = np.ndarray[Any, np.dtype[np.bool_]]


def by_language(languages: pa.Array | pa.ChunkedArray, fates: Mapping[str, Mask]) -> dict[str, int]:
    """Facts of a part.

    Args:
        languages: Of n documents.
        fates: `KEPT` or a Reason, and which of the n documents it is about.
    """
    facts: dict[str, int] = {}
    for fate, mask in fates.items():
        for count in languages.filter(pa.array(mask)).value_counts().to_pylist():
            facts[f"{count['values']}/{fate}"] = count["counts"]
    return dict(sorted(facts.items()))


def tally_of(fates: Mapping[str, Mask]) -> Tally:
    """The same, languages added up. Every document has one fate."""
    counts = {fate: int(mask.sum()) for fate, mask in fates.items()}
    drops = {fate: count for fate, count in counts.items() if count and fate != KEPT}
    return Tally(sum(counts.values()), counts[KEPT], drops)
