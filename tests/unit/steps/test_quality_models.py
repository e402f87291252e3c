"""Models of a recipe among the quality rules."""

import pytest

from allmende.errors import RecipeError
from allmende.filters.classifiers.scorer import digest
from allmende.filters.quality.presets import reasons
from allmende.recipe import Quality
from allmende.schema import Reason
from allmende.steps.quality_rules import QualityRules, check_models, quality_reason

ARPA = "\\data\\\nngram 1=3\n\n\\1-grams:\n-1\t<unk>\n-0.1\tgut\n-0.1\t</s>\n\n\\end\\\n"


@pytest.fixture
def line(tmp_path):
    (tmp_path / "a.arpa").write_text(ARPA)
    return f"odd = {tmp_path}/a.arpa sha256:{digest(str(tmp_path / 'a.arpa'))} <= 3"


def test_a_model_is_a_rule_with_a_stored_value(line):
    rules = QualityRules(Quality(preset="none", models=(line,)))
    check_models(Quality(models=(line,)))
    assert rules.judge("gut gut", "de").reason is None
    assert rules.judge("was ist das", "de").reason is Reason.QUALITY_MODEL
    measured = QualityRules(Quality(preset="none", models=(line,), signals=True)).judge("was ist das", "de")
    assert measured.reason is None
    assert measured.values == {"model:odd": pytest.approx(10 ** (3.1 / 4))}
    assert rules.broken("de", measured.values) is Reason.QUALITY_MODEL
    loose = QualityRules(Quality(preset="none", models=(line,), limits=("model:odd <= 9",)))
    assert loose.broken("de", measured.values) is None
    assert [limit.name for limit in QualityRules(Quality(models=(line,))).limits("de")][-1] == "model:odd"


def test_other_weights_stop_a_build(line, tmp_path):
    (tmp_path / "a.arpa").write_text(ARPA + "\n")
    with pytest.raises(RecipeError, match="other weights"):
        check_models(Quality(models=(line,)))


def test_every_rule_of_every_preset_has_a_reason():
    assert {quality_reason(name).stage for name in reasons()} == {"quality"}
