"""Several sources of pairs as one set: who is used, what is left out, what people are asked."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.data.contamination import Guarded
from pipelines.data.merging import Sourced
from pipelines.data.pairs import CONFIDENT
from pipelines.data.pooling import Pooled, pooled, scorers
from pipelines.data.rows import Provenance
from tests.pipelines.data.prose import texts

NOTHING = Guarded([])
PROMPTS = texts(43, 300, 30)


def row(n: int, gap: float = 0.5, **more: Any) -> dict[str, Any]:
    whole = {"prompt": PROMPTS[n], "chosen": f"good {n}", "rejected": f"bad {n}", "gap": gap}
    return {**whole, **more}


def bare(n: int) -> dict[str, Any]:
    return {"prompt": PROMPTS[n], "a": f"good {n}", "b": f"bad {n}"}


def part(source: str, *rows: dict[str, Any]) -> Sourced:
    origin = Provenance(source=source, method="tests", scorer=f"judge of {source}")
    return Sourced(source, list(rows), [origin] * len(rows))


def numbers(made: Pooled) -> list[int]:
    return [int(one.chosen.split()[1]) for one in made.kept]


def test_sources_take_turns_and_the_set_is_cut_to_what_is_wanted() -> None:
    one = part("web", *(row(n) for n in range(10)))
    other = part("real", *(row(n) for n in range(100, 110)))
    made = pooled([one, other], NOTHING, 6)
    assert sorted(made.used) == ["real", "web"]
    assert sorted(numbers(made)) == [0, 1, 2, 100, 101, 102]
    assert made.removed == {"surplus": 14}
    assert scorers(made.kept) == {"judge of real": 3, "judge of web": 3}


def test_a_source_with_a_small_gap_is_left_out_and_the_others_are_used() -> None:
    weak = part("web", *(row(n, 0.1) for n in range(10)))
    good = part("real", *(row(n) for n in range(100, 110)))
    made = pooled([weak, good], NOTHING, 100)
    assert made.used == ("real",)
    assert numbers(made) == list(range(100, 110))
    assert made.by_source["web"].removed() == {"unsure": 10}


def test_where_no_source_is_good_enough_the_best_is_measured_and_none_used() -> None:
    weak = part("web", *(row(n, 0.1) for n in range(10)))
    weaker = part("real", *(row(n, 0.01) for n in range(100, 110)))
    made = pooled([weaker, weak], NOTHING, 5)
    assert made.used == ()
    assert made.kept == []
    assert made.overall().value == 0


def test_what_two_sources_contradict_is_put_to_people() -> None:
    told = {"chosen": "bad 1", "rejected": "good 1"}
    made = pooled(
        [part("web", row(0), row(1)), part("real", row(1) | told, row(2))], NOTHING, 5, ask=9
    )
    assert sorted(numbers(made)) == [0, 2]
    assert made.removed == {"conflict": 2}
    assert [{one["a"], one["b"]} for one in made.waiting] == [{"good 1", "bad 1"}]


def test_evaluation_items_are_measured_before_they_are_taken_out() -> None:
    guarded = Guarded([PROMPTS[0]])
    rows = [row(n) for n in range(20)]
    made = pooled([part("web", *rows)], guarded, 100, ask=9)
    gates = {gate.name: gate.value.value for gate in made.found.gates}
    assert gates["decontamination"] == 0.95
    assert 0 not in numbers(made)
    assert made.removed == {"leaked": 1}


def test_pairs_that_nobody_has_scored_wait_for_people_but_leaked_ones_do_not() -> None:
    guarded = Guarded([PROMPTS[1]])
    made = pooled([part("synthetic", *map(bare, range(5)))], guarded, 5, ask=3)
    assert made.kept == []
    assert [one["prompt"] for one in made.waiting] == [PROMPTS[n] for n in (0, 2, 3)]
    assert pooled([part("synthetic", bare(0))], guarded, 5).waiting == []


def test_what_people_have_answered_is_kept_and_waits_no_more() -> None:
    asked = part("synthetic", *map(bare, range(5)))
    labels = part("people", row(0, 1.0), row(1, 1.0, chosen="bad 1", rejected="good 1"))
    made = pooled([asked, labels], NOTHING, 5, ask=9)
    assert made.used == ("people",)
    assert [one.chosen for one in made.kept] == ["good 0", "bad 1"]
    assert [one["prompt"] for one in made.waiting] == [PROMPTS[n] for n in (2, 3, 4)]


ROWS = st.lists(
    st.builds(
        row,
        st.integers(0, 6),
        st.floats(0.01, 1).map(lambda value: round(value, 4)),
        chosen=st.sampled_from("abc"),
        rejected=st.sampled_from("abcd"),
        confidence=st.floats(0, 1),
    ),
    max_size=20,
)


@settings(max_examples=60, deadline=None)
@given(ROWS, ROWS, st.integers(1, 10), st.integers(0, 10))
def test_a_set_of_pairs_never_contradicts_itself_and_asks_no_person_twice(
    one: list[dict[str, Any]], other: list[dict[str, Any]], quantity: int, ask: int
) -> None:
    made = pooled([part("web", *one), part("real", *other)], NOTHING, quantity, ask=ask)
    assert len(made.kept) <= quantity
    assert len(made.waiting) <= ask
    said = {(pair.prompt, pair.chosen, pair.rejected) for pair in made.kept}
    assert len(said) == len(made.kept)
    assert all((prompt, worse, better) not in said for prompt, better, worse in said)
    assert all(pair.confidence >= CONFIDENT for pair in made.kept)
    asked = [(item["prompt"], *sorted((item["a"], item["b"]))) for item in made.waiting]
    assert len(set(asked)) == len(asked)
    assert not set(asked) & {(p, *sorted((a, b))) for p, a, b in said}
    offered = [[*one, *other], one, other]
    assert made.found.offered in [len(rows) for rows in offered]


@settings(max_examples=30, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_a_sources_rows_changes_no_sure_winner(
    rows: list[dict[str, Any]], luck: Any
) -> None:
    """What is kept of a prompt with one pair alone does not depend on where it stood."""
    alone = [one for one in rows if sum(one["prompt"] == x["prompt"] for x in rows) == 1]
    mixed = list(rows)
    luck.shuffle(mixed)
    kept = [
        {(pair.prompt, pair.chosen, pair.rejected) for pair in made.found.kept}
        for made in (pooled([part("web", *one)], NOTHING, 99) for one in (rows, mixed))
    ]
    single = {one["prompt"] for one in alone}
    assert {one for one in kept[0] if one[0] in single} == {
        one for one in kept[1] if one[0] in single
    }
