"""The funnel of a dataset, from its manifests: light, because `allmende status` waits for it."""

from allmende.dataset import Dataset
from allmende.publish.funnel import Stage, stages


def funnel(dataset: Dataset) -> tuple[Stage, ...]:
    """What each step saw, kept and dropped."""
    return stages((name, dataset.lake.step(name).counts()) for name in dataset.steps())
