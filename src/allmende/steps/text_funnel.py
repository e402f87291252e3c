"""The fates of documents by language."""

from allmende.dataset import Dataset


def languages(dataset: Dataset) -> dict[str, dict[str, int]]:
    """How many documents of each language were kept by reading and judging pages, and dropped for which Reason.

    Returns:
        By language and fate: `{"de": {"kept": 3, "text_short": 1}}`. Pages that were dropped before their language was
        known are in none.
    """
    found: dict[str, dict[str, int]] = {}
    judged_later = dataset.recipe.quality.signals
    for step in ("pages", "documents", "quality"):
        for manifest in dataset.manifests(step):
            for name, count in manifest.facts.items():
                language, slash, fate = name.partition("/")
                if slash and not (judged_later and step == "documents" and fate == "kept"):
                    fates = found.setdefault(language, {})
                    fates[fate] = fates.get(fate, 0) + count
    return found
