"""A role is three lines or a page; what contradicts itself is refused with what would be right."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from events.catalog.roles import (
    LATENCY_CLASSES,
    RoleDefined,
    RoleProfile,
    RoleRetired,
    Tier,
    tier_of,
)
from events.documented import Documented, sentences
from events.errors import Malformed
from events.suggest import malformed

THREE_LINES = """
name: support
purpose: Answer customers who wait.
model_type: chat
"""

A_PAGE = """
name: moderator
purpose: |
  Keep what readers write within the rules of the house.
model_type: moderation
kind: classification
tier: gold
requirements:
  latency_ms: 12
  latency_percentile: p99
  accuracy_min: 0.95
  metrics: {f1: {min: 0.9}, false_positive_rate: {max: 0.01}}
  quality: maximum
  cost_max_per_1m_tokens: 10.0
  cost_max_per_request: 0.001
  hardware_available: [L4, RTX 5090]
  memory_gb: 24
  throughput_rps: 100
  availability_sla: 0.9999
weights: {latency: 4, accuracy: 4, cost: 2}
input_schema: {type: object, properties: {text: {type: string}}, required: [text]}
output_schema: {enum: [fine, rude, illegal]}
data:
  input_format: json
  input_tokens_max: 512
  output_format: label
  output_complexity: simple
  output_tokens_max: 8
  examples_per_month: 20000
  quality_min: 0.97
  languages: [en, pt-BR]
  sensitivity: confidential
  personal_data: true
load: {requests_per_day: 86400, requests_per_month: 2600000, peak_rps: 40}
deployment: edge
memory: {context_window: 1024, retention_days: 30, retention_items: 10000}
tools: [{server: database, permissions: [read, "rules:write"]}]
devices: [{device: alarm-lamp, permissions: [switch]}]
admin_systems: [{system: forum, permissions: ["posts:hide"]}]
alignment: [{name: fair, rule: Judge what is said and never who says it.}]
safety:
  rules: [{name: no-names, rule: Name no reader., severity: critical, pattern: "@\\\\w+"}]
  blocked_categories: [violence, self-harm]
  personal_data: block
budget: {usd_per_month: 300, usd_per_run: 75, tokens_per_run: 5000000, hours_per_run: 8}
entropy: {min: 0.01, max: 0.7, relative_min: 0.3}
screening: {billions_min: 0.1, billions_max: 8}
parent: reader
fallback: moderator-rules
"""


def profile(**fields: Any) -> RoleProfile:
    whole = {**yaml.safe_load(THREE_LINES), **fields}
    return RoleProfile.model_validate_json(json.dumps(whole))


def refused(**fields: Any) -> Malformed:
    with pytest.raises(ValidationError) as caught:
        profile(**fields)
    return malformed(RoleProfile, caught.value)


def test_three_lines_are_a_role() -> None:
    role = profile()
    assert role.normalised_weights() == {"cost": 0.3, "performance": 0.7}
    assert role.requirements.availability_sla == 0.999
    assert (role.screening.billions_min, role.screening.billions_max) == (1, 1000)
    assert role.entropy is None
    assert role.memory.forever()


def test_a_page_is_a_role_and_comes_back_from_history_as_it_was() -> None:
    role = profile(**yaml.safe_load(A_PAGE))
    assert not set(RoleProfile.model_fields) - role.model_fields_set
    told = RoleDefined(role="moderator", profile=role)
    assert told.stream() == "role/moderator"
    assert RoleDefined.model_validate_json(told.model_dump_json()) == told


def test_every_field_has_a_sentence_in_the_schema() -> None:
    parts = Documented.__subclasses__()
    assert RoleProfile in parts
    for part in parts:
        assert set(sentences(part)) == set(part.model_fields)
    budget = RoleDefined.model_json_schema()["$defs"]["Budget"]["properties"]
    assert budget["hours_per_run"]["description"] == "Time that one run may take, in hours."


@pytest.mark.parametrize("kind", [RoleDefined, RoleRetired])
def test_the_examples_are_events(kind: type[RoleDefined] | type[RoleRetired]) -> None:
    event = kind.model_validate_json(json.dumps(kind.example))
    assert event.stream() == "role/support"
    assert kind.publisher == "anyone"


def test_equal_maps_are_written_alike_in_whatever_order_they_came() -> None:
    one = profile(
        weights={"a": 1, "b": 3}, requirements={"metrics": {"x": {"min": 1}, "y": {"max": 1}}}
    )
    two = profile(
        weights={"b": 3, "a": 1}, requirements={"metrics": {"y": {"max": 1}, "x": {"min": 1}}}
    )
    assert one == two
    assert one.model_dump_json() == two.model_dump_json()


def test_a_schema_keeps_the_order_of_its_fields_because_models_write_in_it() -> None:
    fields = {"reason": {"type": "string"}, "label": {"type": "string"}}
    role = profile(output_schema={"type": "object", "properties": fields})
    dumped = json.loads(role.model_dump_json())
    assert list(dumped["output_schema"]["properties"]) == ["reason", "label"]


@settings(deadline=None)
@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,8}", fullmatch=True),
        st.floats(min_value=0, max_value=1e6, exclude_min=True),
        min_size=1,
        max_size=64,
    )
)
def test_weights_stay_as_written_and_are_shares_of_one(weights: dict[str, float]) -> None:
    role = profile(weights=weights)
    assert role.weights == weights
    assert sum(role.normalised_weights().values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("latency_ms", "tier"),
    [
        (1, "gold"),
        (16, "gold"),
        (16.1, "silver"),
        (250, "silver"),
        (251, "bronze"),
        (None, "bronze"),
    ],
)
def test_the_tier_follows_from_the_latency(latency_ms: float | None, tier: Tier) -> None:
    assert tier_of(latency_ms) == tier
    role = profile(requirements={"latency_ms": latency_ms})
    assert role.latency_tier() == tier
    assert role.latency_bound_ms() == latency_ms


def test_the_latency_bound_follows_from_the_tier() -> None:
    assert [profile(tier=tier).latency_bound_ms() for tier in LATENCY_CLASSES] == [16, 250, None]
    assert profile(tier="gold", requirements={"latency_ms": 9}).latency_bound_ms() == 9


def test_a_tier_that_contradicts_the_latency_is_refused_with_both_ways_out() -> None:
    told = refused(tier="gold", requirements={"latency_ms": 40})
    assert told.what == "tier gold answers within 16 ms, but latency_ms is 40"
    assert told.where == "requirements.latency_ms"
    assert told.right == "at most 16, or tier silver"


def test_a_classification_is_timed_whole_and_everything_else_by_the_token() -> None:
    assert profile(kind="classification").latency_unit() == "answer"
    assert profile(kind="interaction").latency_unit() == "next_token"


def test_accuracy_min_is_a_range_like_any_other() -> None:
    needs = profile(
        requirements={"accuracy_min": 0.9, "metrics": {"f1": {"min": 0.8}}}
    ).requirements
    assert {name: one.min for name, one in needs.ranges().items()} == {"accuracy": 0.9, "f1": 0.8}


def test_screening_admits_sizes_within_its_bounds() -> None:
    bounds = profile(screening={"billions_min": 0.1}).screening
    assert bounds.admits(100_000_000)
    assert bounds.admits(10**12)
    assert not bounds.admits(99_999_999)


def test_the_month_is_thirty_days_unless_it_is_stated() -> None:
    assert profile().load.monthly() is None
    assert profile(load={"requests_per_day": 100}).load.monthly() == 3000
    assert profile(load={"requests_per_month": 5}).load.monthly() == 5


@pytest.mark.parametrize(
    ("fields", "where", "right"),
    [
        ({"weights": {}}, "weights", "1 to 64 entries"),
        ({"weights": {"cost": 0}}, "weights.cost", "above 0"),
        ({"parent": "support"}, "parent", "another role"),
        ({"fallback": "support"}, "fallback", "another role"),
        ({"entropy": {"min": 2.5}}, "entropy.min", "below 2"),
        ({"screening": {"billions_min": 2000}}, "screening.billions_min", "at most 1000"),
        ({"budget": {"usd_per_month": 1, "usd_per_run": 2}}, "budget.usd_per_run", "at most 1"),
        (
            {"load": {"requests_per_day": 10, "requests_per_month": 400}},
            "load.requests_per_month",
            "from 10 to 310 a month",
        ),
        ({"load": {"requests_per_day": 864_000, "peak_rps": 1}}, "load.peak_rps", "at least 10"),
        ({"requirements": {"metrics": {"f1": {}}}}, "requirements.metrics.f1", "a 'min', a 'max'"),
        (
            {"requirements": {"metrics": {"f1": {"min": 2, "max": 1}}}},
            "requirements.metrics.f1.min",
            "min at most max",
        ),
        (
            {"requirements": {"accuracy_min": 0.9, "metrics": {"accuracy": {"min": 0.8}}}},
            "requirements.accuracy_min",
            "either accuracy_min, or accuracy among the metrics",
        ),
        ({"requirements": {"accuracy_min": 95}}, "requirements.accuracy_min", "from 0 to 1"),
        (
            {"data": {"input_tokens_max": 900}, "memory": {"context_window": 512}},
            "memory.context_window",
            "at least 900",
        ),
        ({"data": {"languages": ["en", "en"]}}, "data.languages.1", "each one once"),
        ({"tools": [{"server": "exa"}, {"server": "exa"}]}, "tools.1.server", "each one once"),
        ({"purpose": "  "}, "purpose", "1 to 2000 characters"),
        ({"purpose": "x" * 2001}, "purpose", "1 to 2000 characters"),
        ({"tools": [{"server": f"s{n}"} for n in range(65)]}, "tools", "at most 64 items"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would_be_right(
    fields: dict[str, Any], where: str, right: str
) -> None:
    told = refused(**fields)
    assert told.where == where
    assert right in told.right


def test_an_event_is_about_the_role_of_its_profile() -> None:
    with pytest.raises(ValidationError, match="the event is about 'sales'"):
        RoleDefined(role="sales", profile=profile())
