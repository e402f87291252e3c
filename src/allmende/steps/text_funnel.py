"""The fates of documents by language."""

from allmende.dataset import Dataset
from allmende.steps.language_facts import KEPT


def languages(dataset: Dataset) -> dict[str, dict[str, int]]:
    """How many documents of each language are in the release, and were dropped for which Reason, by whatever step.

    Returns:
        By language and fate: `{"de": {"kept": 3, "text_short": 1}}`. Pages that were dropped before their language was
        known are in none.
    """
    found: dict[str, dict[str, int]] = {}
    *_, last = steps = dataset.steps()
    for step in steps:
        for manifest in dataset.manifests(step):
            for name, count in manifest.facts.items():
                language, slash, fate = name.partition("/")
                if slash and (fate != KEPT or step == last):
                    fates = found.setdefault(language, {})
                    fates[fate] = fates.get(fate, 0) + count
    return found
