"""Whatever is wrong with a message is said in one sentence that names the place."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, ValidationError, field_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from events.catalog.policies import PolicyAdopted
from events.catalog.roles import RoleDefined, RoleProfile
from events.errors import Malformed
from events.suggest import SHOWN, contradiction, malformed, near

PROFILE = {"name": "support", "purpose": "Answer customers.", "model_type": "chat"}


def wrong(data: object, kind: type[BaseModel] = RoleDefined) -> Malformed:
    with pytest.raises(ValidationError) as caught:
        kind.model_validate_json(data if isinstance(data, str) else json.dumps(data))
    told = malformed(kind, caught.value)
    assert is_one_sentence(told)
    return told


def profiled(**fields: object) -> dict[str, object]:
    return {"role": "support", "profile": {**PROFILE, **fields}}


def is_one_sentence(told: Malformed) -> bool:
    parts = (told.what, told.where, told.right)
    return all(part.isprintable() and len(part) < 1500 for part in parts) and bool(
        told.what and told.where
    )


def test_a_misspelt_field_is_named_with_its_path_and_the_field_that_was_meant() -> None:
    told = wrong(profiled(requirements={"latencey_ms": 16}))
    assert told.what == "'requirements' has no field 'latencey_ms'"
    assert told.where == "profile.requirements.latencey_ms"
    assert told.right == "did you mean 'latency_ms'?"


def test_a_field_that_stands_one_level_too_high_is_sent_to_its_place() -> None:
    told = wrong(profiled(latency_ms=16))
    assert told.right == "did you mean 'requirements.latency_ms'?"


def test_an_unknown_field_that_is_like_none_is_answered_by_those_there_are() -> None:
    told = wrong(profiled(memory={"zzz": 1}))
    assert told.where == "profile.memory.zzz"
    assert told.right == "one of context_window, retention_days, retention_items"


def test_an_unknown_field_of_a_list_item_names_the_item() -> None:
    told = wrong(profiled(tools=[{"server": "a"}, {"server": "b", "permision": []}]))
    assert told.what == "'tools.1' has no field 'permision'"
    assert told.right == "did you mean 'permissions'?"


def test_a_missing_field_is_named_with_what_it_should_be_and_an_example() -> None:
    told = wrong({"profile": {**PROFILE}})
    assert (told.what, told.where) == ("'role' is missing", "role")
    assert told.right.startswith("a name of at most 100 letters")
    assert told.right.endswith('for instance "support"')


def test_a_missing_field_further_down_says_its_type() -> None:
    told = wrong(profiled(alignment=[{"name": "honest"}]))
    assert told.where == "profile.alignment.0.rule"
    assert told.right == "a text of 1 to 2000 characters"


def test_a_missing_field_that_is_there_misspelt_counts_as_one_mistake() -> None:
    told = wrong({"roel": "support", "profile": PROFILE})
    assert told.what == "RoleDefined has no field 'roel'"
    assert told.right == "did you mean 'role'?"


def test_a_wrong_type_says_what_came_and_what_would_be_right() -> None:
    told = wrong(profiled(requirements={"latency_ms": "fast"}))
    assert told.what == "'latency_ms' may not be 'fast'"
    assert told.right == "a number that is above 0 and at most 86,400,000"


@pytest.mark.parametrize(
    ("came", "shown"),
    [
        (None, "null"),
        (True, "true"),
        (10**400, "a number of very many digits"),
        ([], "an empty list"),
        ([1], "a list of 1"),
        ({"password": "secret"}, "an object"),
    ],
)
def test_what_came_is_said_in_the_words_of_json(came: object, shown: str) -> None:
    assert wrong(profiled(purpose=came)).what == f"'purpose' may not be {shown}"


def test_long_values_are_cut_so_that_no_secret_is_repeated_in_full() -> None:
    told = wrong(profiled(kind="sk-" + "x" * 5000))
    assert len(told.what) <= len("'kind' may not be ") + SHOWN


def test_a_field_that_holds_a_secret_never_shows_what_came() -> None:
    class Login(BaseModel):
        token: SecretStr

    assert wrong({"token": 12345}, Login).what == "'token' may not be what it is"


def test_several_mistakes_are_counted_behind_the_first() -> None:
    told = wrong(profiled(purpose=1, kind="x", tier="x"))
    assert told.where == "profile.purpose"
    assert told.what.endswith("(and 2 more)")


def test_fields_that_do_not_fit_each_other_name_the_one_to_change() -> None:
    told = wrong({"role": "sales", "profile": PROFILE})
    assert told.where == "profile.name"
    assert told.right == "the same name, 'sales'"


def test_a_bad_key_of_a_map_is_told_as_a_name() -> None:
    told = wrong(profiled(weights={"too slow": 1}))
    assert told.what == "'too slow' cannot be the name of an entry"
    assert told.where == "profile.weights.too slow"
    assert told.right.startswith("a name of at most 100 letters")


def test_an_arm_of_a_union_is_chosen_by_its_tag_and_left_out_of_the_path() -> None:
    told = wrong({"policy": {"agent": "trainer", "max_atempts": 2}}, PolicyAdopted)
    assert (told.where, told.right) == ("policy.max_atempts", "did you mean 'max_attempts'?")


@pytest.mark.parametrize("policy", [{}, {"agent": "gardener"}])
def test_a_missing_or_unknown_tag_is_answered_by_the_known_ones(policy: object) -> None:
    told = wrong({"policy": policy}, PolicyAdopted)
    assert told.where == "policy.agent"
    assert "'scheduler'" in told.right
    assert "'trainer'" in told.right


def test_text_that_is_not_json_says_where_it_breaks() -> None:
    told = wrong('{"role": ')
    assert told.what.startswith("the data is not JSON (EOF")
    assert told.where == "RoleDefined"


def test_names_are_near_whatever_their_case_and_dashes() -> None:
    assert near("Latency-MS", ["latency_ms", "name"]) == "latency_ms"
    assert near("performance_weights", ["weights", "name"]) == "weights"
    assert near("zzz", ["latency_ms", "name"]) is None
    assert near("", ["a"]) is None
    assert near("x" * 1_000_000, ["x" * 90]) is None


FIELDS = sorted(
    {*RoleProfile.model_fields, "role", "profile", "latency_ms", "min", "max", "server", "[key]"}
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["support", "gold", "string"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)
MESSAGES = JSON | st.builds(
    lambda role, profile, surplus: {"role": role, "profile": profile, **surplus},
    st.just("support") | JSON,
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4).map(lambda more: {**PROFILE, **more})
    | JSON,
    st.dictionaries(st.sampled_from(FIELDS), SCALARS, max_size=1),
)


@settings(max_examples=400, deadline=None)
@given(MESSAGES)
def test_any_json_is_a_role_or_one_sentence(message: Any) -> None:
    found: RoleDefined | Malformed
    try:
        found = RoleDefined.model_validate_json(json.dumps(message))
    except ValidationError as error:
        found = malformed(RoleDefined, error)
    if isinstance(found, Malformed):
        assert is_one_sentence(found)
    else:
        assert RoleDefined.model_validate_json(found.model_dump_json()) == found


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_one_sentence(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RoleDefined.model_validate_json(text)
    assert is_one_sentence(malformed(RoleDefined, caught.value))


KINDS: list[Any] = [
    "missing",
    "extra_forbidden",
    "string_type",
    "recursion_loop",
    "json_type",
    PydanticCustomError("union_tag_not_found", "no tag"),
    PydanticCustomError("contradiction", "no parts"),
    PydanticCustomError("strange", "{a}\n", {"a": "\ud800\x00"}),
    contradiction("\ud800", "\n"),
]
STEPS = st.integers(-3, 3) | st.text(max_size=4) | st.sampled_from(FIELDS)
FINDINGS = st.builds(
    lambda kind, loc, came: InitErrorDetails(type=kind, loc=tuple(loc), input=came),
    st.sampled_from(KINDS),
    st.lists(STEPS, max_size=6),
    JSON | st.just(object()) | st.binary(),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(FINDINGS, max_size=5), st.sampled_from([RoleDefined, PolicyAdopted, RoleProfile]))
def test_any_finding_at_any_place_is_one_sentence(
    findings: list[InitErrorDetails], kind: type[BaseModel]
) -> None:
    error = ValidationError.from_exception_data("x", findings)
    assert is_one_sentence(malformed(kind, error))


@settings(deadline=None)
@given(st.text())
def test_any_sentence_of_a_validator_is_passed_on_as_one(text: str) -> None:
    class Stubborn(BaseModel):
        field: str

        @field_validator("field")
        @classmethod
        def _never(cls, value: str) -> str:
            raise ValueError(text + value)

    with pytest.raises(ValidationError) as caught:
        Stubborn(field="")
    assert is_one_sentence(malformed(Stubborn, caught.value))


def test_a_hundred_thousand_unknown_fields_are_answered_in_time() -> None:
    told = wrong({f"field{number}": 0 for number in range(100_000)})
    assert "(and 100001 more)" in told.what
