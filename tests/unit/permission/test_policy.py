"""Policies: every signal has a line in every preset, and one reservation is enough."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende import recipe_file
from allmende.errors import RecipeError
from allmende.permission.gate import Gate
from allmende.permission.policy import MEANINGS, NAMES, PRESETS, from_recipe, policy
from allmende.permission.signal import Signal
from allmende.recipe import Permission

signals = st.builds(
    lambda name, says: Signal(name=name, says=says, value="as written"),
    st.sampled_from(NAMES),
    st.sampled_from(["deny", "allow", "unknown"]),
)
policies = st.builds(
    policy,
    st.sampled_from(list(PRESETS)),
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["deny", "allow", "ignore"])),
    st.sampled_from(["", "deny", "allow"]),
)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda p: p.name)
def test_every_preset_has_a_line_for_every_signal_and_a_meaning(preset):
    assert set(preset.actions) == set(NAMES)
    assert MEANINGS[preset.name]


def test_every_signal_is_a_key_of_the_recipe():
    other = {"policy", "unknown", "ai_agents", "captures", "without_permission"}
    assert set(Permission.__struct_fields__) - other == set(NAMES)


@given(policies, st.lists(signals), signals)
def test_one_more_signal_never_turns_a_denial_into_a_permission(chosen, before, more):
    if chosen.deciding(before) is not None:
        assert chosen.deciding([*before, more]) is not None
        assert chosen.deciding([more, *before]) is not None


@given(st.lists(signals))
def test_presets_are_ordered_by_strictness(seen):
    order = ["off", "eu-research", "eu-commercial", "strict"]
    denied = [PRESETS[name].deciding(seen) is not None for name in order]
    assert denied == sorted(denied)


@given(signals)
def test_allow_and_unknown_alone_deny_nothing_by_default(signal):
    assert (PRESETS["eu-commercial"].deciding([signal]) is not None) == (signal.says == "deny")


def test_what_cannot_be_read_denies_only_where_the_policy_says_so():
    garbled = Signal(name="tdmrep", says="unknown", value="yes please")
    assert PRESETS["strict"].deciding([garbled]) is garbled
    assert PRESETS["eu-commercial"].deciding([garbled]) is None
    assert policy("eu-commercial", unknown="deny").deciding([garbled]) is garbled
    assert policy("strict", {"tdmrep": "allow"}).deciding([garbled]) is None


def test_a_changed_table_shows_in_the_label():
    assert policy("strict").label == "strict/2026-11-22"
    assert policy("strict", {"rsl": "ignore"}).label == "strict/2026-11-22+"
    assert from_recipe(Permission(policy="strict")).label == "strict/2026-11-22"
    assert from_recipe(Permission(policy="strict", rsl="ignore")).label == "strict/2026-11-22+"


def test_unknown_presets_and_signals_are_named():
    with pytest.raises(RecipeError, match=r"no such policy\. There are: eu-commercial"):
        policy("loose")
    with pytest.raises(RecipeError, match="no such signal"):
        policy("strict", {"vibes": "deny"})


def test_switching_permission_off_must_be_said_twice():
    base = '[dataset]\nname = "d"\n[select]\ncrawl = "CC-MAIN-2026-43"\n[permission]\npolicy = "off"\n'
    with pytest.raises(RecipeError, match="without_permission = true"):
        recipe_file.loads(base)
    assert not from_recipe(recipe_file.loads(base + "without_permission = true\n").permission).heeds("robots_txt")


def test_the_agents_of_a_recipe_count_for_headers_too():
    """`permission.ai_agents` stands for the shipped list wherever agents are named."""
    told = {"x-robots-tag": ["otherbot: noai"]}
    for agents, allowed in (((), True), (("OtherBot",), False)):
        gate = Gate(from_recipe(Permission(ai_agents=agents)), None)
        assert gate.after("https://a.example/1.jpg", told).allowed is allowed
    assert from_recipe(Permission(ai_agents=("OtherBot",))).label == "eu-commercial/2026-11-22+"
