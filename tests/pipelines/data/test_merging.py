"""The best three sources are merged, cleaned of leaks, and measured again."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.data.merging import Sourced, merged
from pipelines.data.quality import TARGET, guarding
from pipelines.data.rows import Provenance, Row
from tests.pipelines.data.solved import KINDS, examination, rows_of, solved

NAME = "sentiment_analysis"
KIND = KINDS[NAME]
GUARDED = guarding([one.prompt for one in examination(NAME)], KIND)
LEAKED = solved(KIND, examination(NAME))


def sourced(name: str, rows: Sequence[Row]) -> Sourced:
    origin = Provenance(source=name, method="test")
    many = [origin.model_copy(update={"session": f"{name}-{n}"}) for n in range(len(rows))]
    return Sourced(name, rows, many)


def test_the_best_three_are_merged_and_a_weak_one_is_left_out() -> None:
    offered = [sourced(name, rows_of(NAME, 120, seed)) for seed, name in enumerate("abcd", 1)]
    wrong = [row | {"completion": "nonsense"} for row in rows_of(NAME, 60, 9)]
    made = merged([*offered, sourced("weak", wrong)], KIND, GUARDED, 300)
    assert len(made.used) == 3
    assert set(made.used) <= set("abcd")
    assert made.by_source["weak"].overall.value < TARGET
    assert len(made.rows) == 300
    assert made.quality.overall.value >= TARGET
    assert {one.source for one in made.provenance} == set(made.used)
    assert made.removed["surplus"] >= 40


def test_rows_and_provenance_stay_together() -> None:
    parts = [sourced("a", rows_of(NAME, 40, 1)), sourced("a", rows_of(NAME, 40, 2))]
    made = merged(parts, KIND, GUARDED, 80)
    own = dict(zip([row["prompt"] for row in parts[1].rows], parts[1].provenance, strict=True))
    assert len(made.rows) == len(made.provenance) > 75
    for row, origin in zip(made.rows, made.provenance, strict=True):
        assert own.get(row["prompt"], origin) == origin


def test_leaked_rows_are_removed_and_still_counted() -> None:
    made = merged([sourced("a", [*rows_of(NAME, 198, 1), *LEAKED[:2]])], KIND, GUARDED, 500)
    assert made.removed == {"leaked": 2}
    assert made.quality.parts["contamination"].value == 0.99
    assert not {row["prompt"] for row in made.rows} & {row["prompt"] for row in LEAKED}
    assert made.used == ("a",)


def test_what_two_sources_have_both_is_kept_once() -> None:
    rows = rows_of(NAME, 100, 1)
    made = merged([sourced("a", rows), sourced("b", rows)], KIND, GUARDED, 500)
    assert len(made.rows) == 100
    assert made.removed == {"repeated": 100}
    assert made.quality.parts["duplicates"].value == 1


def test_where_no_source_is_good_enough_the_best_is_measured_and_none_is_used() -> None:
    rows = [*rows_of(NAME, 80, 1), *LEAKED[:20]]
    wrong = [row | {"completion": "nonsense"} for row in rows]
    made = merged([sourced("leaky", rows), sourced("wrong", wrong)], KIND, GUARDED, 100)
    assert made.used == ()
    assert made.quality.overall.value == made.quality.parts["contamination"].value == 0.8
    assert len(made.rows) == 80
    assert merged([], KIND, GUARDED, 10).rows == []


def test_the_same_parts_make_the_same_set() -> None:
    parts = [sourced(name, rows_of(NAME, 50, seed)) for seed, name in enumerate("ab")]
    one, other = merged(parts, KIND, GUARDED, 80), merged(parts[::-1], KIND, GUARDED, 80)
    assert one.rows == other.rows
    assert one.quality == other.quality
