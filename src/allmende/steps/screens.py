"""The screens of a build, in the order in which they are asked."""

import numpy as np
import pyarrow as pa

from allmende.dedup.exact import Keys
from allmende.media.sample import ImageSample
from allmende.permission import policy
from allmende.schema import Reason
from allmende.steps import frequent, list_screen, tombstone_screen
from allmende.steps.screen import Screen
from allmende.steps.step import Settings
from allmende.steps.verdicts import PageSignals


class FrequentCaptions:
    """Drops captions that stand with too many images.

    Args:
        keys: Sorted keys of these captions.
    """

    def __init__(self, keys: Keys):
        self._keys = keys

    def before(self, rows: pa.Table) -> pa.Array:
        """See `Screen.before`."""
        found = np.isin(rows.column("caption_key").to_numpy(), self._keys)
        return pa.array([str(Reason.CAPTION_TOO_FREQUENT) if drop else None for drop in found], pa.string())

    def after(self, url: str, found: ImageSample) -> Reason | None:
        """Nothing: the words are no other than before."""


def screens(settings: Settings) -> tuple[Screen, ...]:
    """All of them, loaded."""
    return (
        list_screen.load_screen(settings),
        *tombstone_screen.load(settings.lake, settings.recipe),
        FrequentCaptions(frequent.load(settings.lake)),
        PageSignals(policy.from_recipe(settings.recipe.permission)),
    )
