"""A reward model put to the test: fresh pairs, odd ones and hostile ones, twins, its biases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from statistics import fmean
from typing import Any, NamedTuple

from agents.trainer.workers.preferring import answers, drawn, row_of
from agents.trainer.workers.rewarding import ENOUGH, OVERFIT, TRAIN, VALIDATION, margins, told
from agents.trainer.workers.work import Made, Work
from events.catalog.training import Measured
from pipelines.areas import area
from pipelines.data.preferences import Preference, preferences
from pipelines.data.report import Checked, Report, Table
from pipelines.evidence.correlation import apart, difference
from pipelines.evidence.intervals import proportion
from pipelines.failures import CLEAR, by_length, clear, hardest, kinds, right, table
from pipelines.length import SWAY, alike, sway
from pipelines.probes import EDGES, TAUGHT, hostile, twins, worsened
from trainers.model_types.kind import Problem

FRESH = 450
"""Held-out problems of which fresh pairs are made; no checkpoint was chosen by them."""
STRANGE = 0.25
"""Of so many times the fresh problems there are of each kind that is not like those of the
training: the easiest and the hardest."""
PROBED = 200
"""Pairs out of which odd and hostile ones are made."""


class Tried(NamedTuple):
    """Rows that were put to the reward model, and the margin of each."""

    rows: Sequence[Mapping[str, Any]]
    margins: Sequence[float]


async def validate_reward(work: Work) -> Made:
    """Is it right on what nobody has chosen it by, is it consistent, what fools it, and does it
    like length or place instead of worth?"""
    many = round(work.setting("items", FRESH))
    problems = {one.prompt: one for one in work.fresh(many)}
    odd = _strange(work, round(STRANGE * many))
    strange = {one.prompt: one for one in odd if one.prompt not in problems}
    scored = await answers(work, "sft", [*problems.values(), *strange.values()], "fresh")
    rows = [_row(work, one, problems | strange) for one in preferences(scored)]
    equals = alike(one for one in scored if one.prompt in problems)
    sets = _probes(work, rows, problems | strange, set(strange))
    sets["equals"] = [_row(work, one, problems) for one in equals]
    tried = await _tried(work, sets)
    found, known = _figures(tried)
    kept = [
        {**row, "margin": round(margin, 4), "set": name}
        for name, one in tried.items()
        for row, margin in zip(one.rows, one.margins, strict=True)
    ]
    report = _report(work, tried, found, known)
    made = (
        await work.keep_rows(kept, "items.reward"),
        *await work.keep_report(report, work.request.stage),
    )
    return Made(found, made)


def _strange(work: Work, many: int) -> list[Problem]:
    """Problems as the training has none: as easy and as hard as the type can make them."""
    seed = work.seed("strange")
    return [
        one
        for place, hard in enumerate((0.0, 1.0))
        for one in drawn(work.kind.problems(seed + place, hard), many)
    ]


def _row(work: Work, one: Preference, problems: Mapping[str, Problem]) -> dict[str, Any]:
    return row_of(one, {one.prompt: area(work.kind, problems[one.prompt])})


def _probes(
    work: Work, rows: Sequence[Mapping[str, Any]], problems: Mapping[str, Problem], odd: set[str]
) -> dict[str, Sequence[Mapping[str, Any]]]:
    """All that it is asked, by what it is asked for."""
    usual = [one for one in rows if one["prompt"] not in odd]
    some = usual[:PROBED]

    def worth(row: Mapping[str, Any], text: str) -> float:
        return work.kind.verify(problems[row["prompt"]], text).reward

    def worse(made: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those of which the verifier, too, says that they are worse."""
        return [one for one in made if worth(one, one["chosen"]) > worth(one, one["rejected"])]

    return {
        "fresh": usual,
        "turned": [
            {**one, "chosen": one["rejected"], "rejected": one["chosen"]} for one in reversed(some)
        ],
        "strange": [one for one in rows if one["prompt"] in odd],
        "hostile": worse(hostile(some, work.seed("hostile"))),
        "edges": worse(worsened(some, EDGES)),
        "twins": list(twins(some, lambda row, one, other: worth(row, one) == worth(row, other))),
    }


async def _tried(work: Work, sets: dict[str, Sequence[Mapping[str, Any]]]) -> dict[str, Tried]:
    """Everything in one job, the pairs that it knows beside it."""
    held, seen = await work.rows(VALIDATION), await work.rows(TRAIN)
    sets = {**sets, "validation": held, "seen": seen[: 2 * len(held)]}
    marked = [{**row, "set": name} for name, rows in sets.items() for row in rows]
    found = iter(await margins(work, marked, "tried"))
    return {name: Tried(rows, list(islice(found, len(rows)))) for name, rows in sets.items()}


def _figures(tried: Mapping[str, Tried]) -> tuple[dict[str, Measured], dict[str, Measured]]:
    fresh = tried["fresh"]
    accuracy = right(fresh.margins)
    sure, others = clear(fresh.rows, fresh.margins)
    held = _holding(fresh, tried["twins"])
    length, more = by_length(fresh.rows, fresh.margins)
    known = kinds(fresh.rows, fresh.margins)
    worst = hardest(known)
    swayed = sway(tried["equals"].margins, len(fresh.rows))
    found = {
        "accuracy": accuracy,
        "validation_accuracy": right(tried["validation"].margins),
        "overfit": difference(right(tried["seen"].margins), accuracy),
        "consistency": right(sure),
        "clearer": apart(sure, others),
        "steady": proportion(sum(held), len(held)),
        "out_of_distribution": right(tried["strange"].margins),
        "adversarial": right(tried["hostile"].margins),
        "edge_cases": right(tried["edges"].margins),
        "length_bias": length,
        "length_alone": Measured(value=more, low=more, high=more, n=length.n),
        "position_bias": _place(fresh, tried["turned"]),
        **swayed,
    }
    if worst is not None:
        found["hardest"] = worst[1]
    return {name: one for name, one in found.items() if one.n}, known


def _holding(fresh: Tried, twins: Tried) -> list[bool]:
    """Of clear preferences that are judged rightly: whether they still are when the better answer
    stands there in another form."""
    known = {
        (row["prompt"], row["chosen"]): margin
        for row, margin in zip(*fresh, strict=True)
        if row["gap"] >= CLEAR and margin > 0
    }
    return [
        known[row["prompt"], row["chosen"]] - lost > 0
        for row, lost in zip(*twins, strict=True)
        if (row["prompt"], row["chosen"]) in known
    ]


def _place(fresh: Tried, turned: Tried) -> Measured:
    """Of the same pairs, turned and in other company: how many verdicts change."""
    asked = {(one["prompt"], one["chosen"]): m for one, m in zip(*fresh, strict=True)}
    changed = [
        (asked[row["prompt"], row["rejected"]] > 0) == (margin > 0)
        for row, margin in zip(*turned, strict=True)
    ]
    return proportion(sum(changed), len(changed))


def _report(
    work: Work,
    tried: Mapping[str, Tried],
    found: Mapping[str, Measured],
    known: Mapping[str, Measured],
) -> Report:
    tables = [table("Which preferences are hard", known)]
    for title, name in (("What fools it", "hostile"), ("Odd answers", "edges")):
        ways: dict[str, list[float]] = {}
        for row, margin in zip(*tried[name], strict=True):
            ways.setdefault(str(row["probe"]), []).append(margin)
        tables.append(table(title, {way: right(own) for way, own in ways.items()}))
    forms: dict[str, list[float]] = {}
    for row, margin in zip(*tried["twins"], strict=True):
        forms.setdefault(str(row["probe"]), []).append(margin)
    moved = [(form, fmean(own), fmean(map(abs, own)), len(own)) for form, own in forms.items()]
    tables.append(
        Table(
            "The same answer in another form",
            ("form", "reward lost", "reward moved", "answers"),
            moved,
            "Beside a clear preference, whose margin is"
            f" {fmean(clear(*tried['fresh'])[0] or [0.0]):.3f} on average.",
        )
    )
    longer = told(found["longer_of_equals"]) if "longer_of_equals" in found else "too few of them"
    tables.append(Table("Bias", ("of what", "how much"), [
        ("length: how the margin goes with it", told(found["length_bias"])),
        ("length: beyond what the verifier's gap explains", f"{found['length_alone'].value:.3f}"),
        ("length: of answers worth the same the longer one is preferred", longer),
        ("place: verdicts that change when the sides are turned", told(found["position_bias"])),
    ]))  # fmt: skip
    bounds = {"accuracy": ENOUGH, "consistency": 0.75, "steady": 0.75, "clearer": 0.0}
    checks = [
        Checked(name, told(found[name]), f"at least {bound:g}", found[name].low >= bound)
        for name, bound in bounds.items()
        if name in found
    ]
    for name, most in (("overfit", OVERFIT), ("length_sway", SWAY)):
        one = found[name]
        checks.append(Checked(name, told(one), f"at most {most:g}", one.high <= most))
    return Report(
        f"The reward model of run {work.request.run}, put to the test",
        (
            "Fresh pairs are answers to problems that nothing was learned from or chosen by.",
            "Strange problems are as easy and as hard as this type can make them; the training"
            " knows those between.",
            f"Of what fools it, these it was taught: {', '.join(TAUGHT)}. All else is new to it.",
        ),
        tuple(checks),
        tables=tuple(tables),
    )
