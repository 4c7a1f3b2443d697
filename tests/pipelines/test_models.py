"""The registry of models: versions, why one was taken, what became of it, where it came from."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.catalog.gates import CandidateRegistered, RemedyApplied
from events.catalog.training import RunAbandoned
from events.errors import Malformed, NotFound
from events.message import Event
from pipelines.data.report import markdown
from pipelines.family import drawn
from pipelines.lineage import chosen, lineage, meant, tree
from pipelines.model_cards import model_card
from pipelines.models import MOST
from pipelines.registry import brief, page
from tests.pipelines.registered import (
    Told,
    added,
    begun,
    folded,
    kept,
    passed,
    registered,
    rolled_back,
    verified,
    whole,
    worse,
)


def test_versions_of_a_role_are_counted_and_the_newest_is_the_roles() -> None:
    told = Told().tell(*whole("r1", 1, 2), *whole("r2", 3, 4))
    assert [one["model"] for one in chosen(told.state, "sums")] == ["sums/v1", "sums/v2"]
    assert told.state["roles"] == {"sums": {"count": 2, "current": "sums/v2"}}
    first, second = told.row("sums/v1"), told.row("sums/v2")
    assert (first["status"], first["reason"]) == ("superseded", "sums/v2 came after it")
    assert (second["status"], second["before"], second["seed"]) == ("candidate", "sums/v1", 7)
    assert second["sha256"] == kept("policy", 4).sha256
    assert second["metrics"]["improvement"]["low"] == pytest.approx(0.18)
    assert second["data"]["dataset"] == "of-r2"


def test_a_model_is_taken_as_the_best_of_all_that_its_run_has_made() -> None:
    told = Told().tell(
        begun("r1"),
        *passed("r1", "srl", policy=1, sampled=0.5),
        *passed("r1", "rlvr", policy=2, sampled=0.3),
        *passed("r1", "verify", sampled=0.5),
        *registered("r1", 1),
    )
    selection = told.row("sums/v1")["selection"]
    assert selection["why"] == "the best by its held-out score, of 2 that passed their gates"
    assert (selection["taken"]["stage"], selection["taken"]["score"]["value"]) == ("srl", 0.5)
    assert [one["stage"] for one in selection["others"]] == ["rlvr"]


def test_what_was_thrown_away_is_told_with_its_reason() -> None:
    back = RemedyApplied(
        run="r1", stage="rlvr", symptom="gain below", remedy="better_examples", back_to="srl"
    )
    told = Told().tell(
        begun("r1"),
        *passed("r1", "srl", policy=1, sampled=0.2),
        back,
        *passed("r1", "srl", attempt=2, policy=2, sampled=0.3),
        *passed("r1", "rlvr", policy=3, sampled=0.1),
        rolled_back("r1", "srl", 2, "the last round made it worse"),
        *passed("r1", "verify", sampled=0.3),
        *registered("r1", 2),
    )
    selection = told.row("sums/v1")["selection"]
    dropped = {one["stage"]: one["dropped"] for one in selection["others"]}
    assert dropped == {"srl": "better_examples", "rlvr": "the last round made it worse"}
    assert selection["why"] == "the only one that passed its gates and was not thrown away"


def test_a_gate_that_was_passed_by_an_earlier_attempt_says_nothing_of_this_one() -> None:
    completed, _ = passed("r1", "srl", attempt=1, policy=1, sampled=0.9)
    _, gate = passed("r1", "srl", attempt=2)
    told = Told().tell(begun("r1"), completed, gate)
    assert told.state["runs"]["r1"]["checkpoints"] == []


def test_a_run_without_a_model_leaves_nothing_behind() -> None:
    told = Told().tell(
        begun("r1"), *passed("r1", "srl", policy=1), RunAbandoned(run="r1", reason="kl")
    )
    told.tell(begun("r2", pipeline="rehearsal"), *registered("r2", 1)[:1])
    assert told.state == {"models": {}, "roles": {}, "hashes": {}, "runs": {}}


def test_a_verified_model_stands_and_a_regressed_one_gives_way_to_the_one_before() -> None:
    told = Told().tell(*whole("r1", 1, 2), *verified(2, "holds"), *whole("r2", 3, 4))
    assert told.row("sums/v1")["changes"][0]["status"] == "standing"
    told.tell(*verified(4, "worse", "aa"), *worse(4, 2))
    assert told.row("sums/v2")["status"] == "withdrawn"
    became = [one["status"] for one in told.row("sums/v2")["changes"]]
    assert became == ["regressed", "withdrawn"]
    assert told.row("sums/v1")["status"] == "standing"
    assert told.state["roles"]["sums"]["current"] == "sums/v1"
    (one,) = told.row("sums/v2")["verifications"]
    assert (one["verdict"], one["suites"]["fresh"]["n"]) == ("worse", 120)


def test_the_first_model_of_a_role_may_be_withdrawn_and_then_there_is_none() -> None:
    told = Told().tell(*whole("r1", 1, 2), *worse(2, None, "r1"))
    assert told.state["roles"]["sums"]["current"] is None
    told.tell(*whole("r2", 3, 4))
    assert told.row("sums/v1")["status"] == "withdrawn"  # not superseded: it was no good


def test_of_a_model_only_the_last_verifications_are_kept_and_all_are_counted() -> None:
    told = Told().tell(*whole("r1", 1, 2))
    for number in range(3 * MOST):
        told.tell(*verified(2, "holds", f"n{number}"))
    row = told.row("sums/v1")
    assert (row["verified"], len(row["verifications"])) == (3 * MOST, MOST)
    assert row["verifications"][-1]["verification"] == f"n{3 * MOST - 1}"
    assert len(json.dumps(row)) < 12_000


def test_a_model_is_meant_by_its_version_its_hash_its_run_or_its_name() -> None:
    told = Told().tell(*whole("r1", 1, 2), *whole("r2", 3, 0x4D << 244), added("own", 77))
    state = told.state
    assert meant(state, "sums/v2")["run"] == "r2"
    assert meant(state, "r1")["model"] == "sums/v1"
    assert meant(state, "own")["status"] == "added"
    for words in (kept("policy", 2).sha256, "sha256:04d0", "04d0"):
        assert meant(state, words)["role"] == "sums"
    with pytest.raises(Malformed, match=r"2 models are meant by '0000'.*sums/v1, own"):
        meant(state, "0000")
    with pytest.raises(NotFound, match="did you mean 'sums/v1'"):
        meant(state, "sums/v")
    with pytest.raises(NotFound, match="did you mean 'sums/v2'"):
        meant(state, "sum/v2")
    with pytest.raises(NotFound, match="none is there"):
        meant({}, "deadbeef")


def test_lineage_goes_back_over_models_to_data_and_the_first_base() -> None:
    given_one = kept("base.given", 2)
    told = Told().tell(*whole("r1", 1, 2), *whole("r2", 3, 4, base="sums/v1", known=(given_one,)))
    found = lineage(told.state, told.row("sums/v2"))
    (run,) = found["from"]
    assert (run["name"], run["pipeline"], run["seed"]) == ("r2", "srl_rlvr", 7)
    base, data, *_ = run["from"]
    assert (base["name"], base["sha256"], base["part"]) == ("sums/v1", given_one.sha256, "base")
    assert (data["name"], data["count"], data["sha256"]) == ("of-r2", 400, kept("any", 900).sha256)
    assert [one["kind"] for one in data["from"]] == ["provenance"]
    (first,) = base["from"]
    assert (first["from"][0]["name"], first["from"][0]["sha256"]) == (
        "tiny",
        kept("any", 50).sha256,
    )
    lines = list(tree(found))
    assert lines[0].startswith("model  sums/v2  sha256:000000000000  1,004 bytes  candidate")
    assert lines[2].startswith("   ├─ base  sums/v1")
    assert any("└─ curve.srl" in line for line in lines)


def test_the_teacher_that_was_made_for_a_run_is_its_base() -> None:
    one = CandidateRegistered(
        role="sums", run="r1", model=kept("policy", 1), made=(kept("teacher", 5), kept("traces", 6))
    )
    told = Told().tell(begun("r1"), *passed("r1", "small", policy=1), one)
    (run,) = lineage(told.state, told.row("sums/v1"))["from"]
    assert [(node["kind"], node["sha256"]) for node in run["from"]] == [
        ("base", kept("any", 5).sha256), ("traces", kept("any", 6).sha256),
    ]  # fmt: skip


def test_a_data_set_that_a_run_was_given_is_a_part_of_the_lineage_by_its_name() -> None:
    told = Told().tell(
        begun("r1", dataset="own-tickets"),
        *passed("r1", "srl", policy=1, sampled=0.5),
        *registered("r1", 1),
    )
    (run,) = lineage(told.state, told.row("sums/v1"))["from"]
    (data,) = [one for one in run["from"] if one["kind"] == "data"]
    assert (data["name"], data["sha256"]) == ("own-tickets", "")


def test_a_page_and_a_card_hold_what_is_told_and_nothing_of_it_runs() -> None:
    bad = "<script>x</script>"
    told = Told().tell(*whole("r1", 1, 2, base=bad), *verified(2, "holds"))
    row = told.row("sums/v1")
    ancestors = lineage(told.state, row)
    shown = drawn(ancestors)
    assert "<script>" not in shown
    assert kept("any", 900).sha256 in shown
    card = markdown(model_card(row, ancestors, "adds numbers"))
    for part in ("adds numbers", "not the best", "taken", "9c41", "# Model sums/v1"):
        assert part in card
    assert "<script>" not in card


def test_a_list_says_of_each_model_one_line_and_comes_in_pages() -> None:
    told = Told()
    for number in range(7):
        told.tell(*whole(f"r{number}", 10 + number, 20 + number))
    rows, following = page(chosen(told.state), 2, 3)
    assert [brief(one)["model"] for one in rows] == ["sums/v3", "sums/v4", "sums/v5"]
    assert following == 5
    assert page(chosen(told.state), 5, 3)[1] is None
    assert brief(rows[0])["score"]["value"] == 0.6
    assert chosen(told.state, "else") == []


def test_a_name_that_is_given_again_means_the_new_model() -> None:
    told = Told().tell(added("own", 7), added("own", 8), added("twin", 8))
    assert told.row("own")["sha256"] == kept("any", 8).sha256
    assert told.state["hashes"] == {kept("any", 8).sha256: ["own", "twin"]}


RUNS = st.lists(
    st.tuples(
        st.sampled_from(["whole", "abandoned", "verified", "worse", "added"]), st.integers(1, 3)
    ),
    max_size=12,
)


def history(chosen_: list[tuple[str, int]]) -> Told:
    told = Told()
    for place, (what, number) in enumerate(chosen_):
        events: dict[str, Any] = {
            "whole": whole(f"r{place}", number, number + 10),
            "abandoned": (begun(f"r{place}"), RunAbandoned(run=f"r{place}", reason="kl")),
            "verified": verified(number + 10, "holds", f"n{place}"),
            "worse": worse(number + 10, None),
            "added": (added(f"own{number}", number + 10),),
        }
        several: tuple[Event, ...] = tuple(events[what])
        told.tell(*several)
    return told


@settings(deadline=None, max_examples=60)
@given(RUNS, st.data())
def test_the_registry_is_the_same_in_one_go_and_in_pieces_through_what_is_kept(
    chosen_: list[tuple[str, int]], data: st.DataObject
) -> None:
    told = history(chosen_)
    cut = data.draw(st.integers(0, len(told.facts)))
    first = folded(told.facts[:cut], {})
    kept_state = json.loads(json.dumps(first))
    assert kept_state == first
    assert folded(told.facts[cut:], kept_state) == told.state
    for one in chosen(told.state):
        assert meant(told.state, one["model"]) is one
        assert one["model"] in told.state["hashes"][one["sha256"]]
        assert list(tree(lineage(told.state, one)))
    for role, found in told.state.get("roles", {}).items():
        current = found["current"]
        assert current is None or told.state["models"][current]["role"] == role
