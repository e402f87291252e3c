"""What of a recipe only the rooms that it speaks of can judge: languages, the form of the release, its folder."""

import re

from allmende import recipe_file
from allmende.errors import RecipeError
from allmende.filters.language import known_languages, meant
from allmende.publish.sink import find_sink
from allmende.recipe import Recipe

_ELSEWHERE = re.compile(r"^[.~]|[/\\:\x00-\x1f]")
"""In a name that is taken as a path or URL: other folders, hidden ones, home, protocols."""


def check(recipe: Recipe) -> None:
    """Refuses before anything is read what would stop the build later.

    Raises:
        RecipeError: if keys contradict each other, a language can't be identified, no such sink is installed, or the
            name would lead elsewhere than to a folder of that name.
    """
    recipe_file.check(recipe)
    if not recipe.dataset.output and _ELSEWHERE.search(recipe.dataset.name):
        raise RecipeError(
            f"[dataset] name: {recipe.dataset.name!r} can't be the name of the dataset's folder. Keep it, and say where the "
            'dataset goes: output = "FOLDER"'
        )
    find_sink(recipe.publish.sink)
    if recipe.dataset.kind == "text":
        check_languages(recipe)
    else:
        known_languages(recipe.captions.languages)


def check_languages(recipe: Recipe) -> None:
    """Makes sure that every language of a recipe for text can be met, by its rules too.

    Raises:
        RecipeError: if one can't, or a rule is none.
    """
    from allmende.filters.document_language import KNOWN  # with the rules half a second, which images save
    from allmende.steps.quality_rules import QualityRules

    rules = QualityRules(recipe.quality)
    for language in recipe.text.languages:
        if language not in KNOWN:
            raise RecipeError(
                f"[text] languages: {language!r} is none that can be identified{meant(language, KNOWN)}. "
                f"There are: {', '.join(sorted(KNOWN))}."
            )
        if not rules.knows(language):
            raise RecipeError(
                f"[quality] preset: {recipe.quality.preset} has no thresholds for {language!r}; fineweb-2 has those of "
                "34 languages, and none keeps all."
            )
