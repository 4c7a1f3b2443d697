"""A run as a report: what was decided and why, its gates, what did not hold, its curves.

The model card beside it says what the model is, what it came from, and how good it was measured to
be. Both hold only what history and its artifacts say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pipelines.catalog import PIPELINES
from pipelines.criteria import decision, figure, points, shown
from pipelines.data.plots import Curve, Span
from pipelines.data.report import Checked, Report, Table
from pipelines.forecast import said, told, whole
from pipelines.meanings import explained
from pipelines.summary import summary

Row = Mapping[str, Any]
Step = Mapping[str, Any]

DRAWN = (
    "loss", "reward", "outcome", "similarity", "accuracy", "score", "margin", "kl", "entropy",
    "held_out_accuracy", "held_out_loss", "gap",
)  # fmt: skip
"""Numbers of a training's steps that people want to see."""
JUDGED = {"accuracy": ("train_accuracy", "accuracy"), "held_out_accuracy": ("accuracy",)}
"""What a gate calls a number of the steps, where it has another name for it."""
MOST = 400
"""Points of a curve."""
TICKS = {"yes": "✓ yes", "no": "✗ no", "waived": "accepted by a waiver"}


def report(row: Row, steps: Mapping[str, Sequence[Step]], rows: Iterable[Row] = ()) -> Report:
    """Of a row of the runs, what its trainings said of each step (by stage, and in a stage with
    several of them by stage and a word), and the other runs."""
    pipeline = PIPELINES[row["pipeline"]]
    points_of = [(one.says, TICKS.get(one.met, one.met), one.found) for one in points(row)]
    tables = [
        Table(
            "Stages",
            ("stage", "what it does", "status", "attempts", "seconds", "gate", "why"),
            [_stage(pipeline.stage(one["name"]).does, one) for one in row["stages"]],
        ),
        *_troubles(row),
        *_accepted(row),
        Table(
            "What people plan with", ("undertaking", "time"), pipeline.planned,
            note=f"How long it takes here: {said(whole(row, rows))}.",
        ),
        Table(
            "What the figures mean", ("figure", "what it says"),
            list(explained(dict.fromkeys(_judged(row))).items()),
        ),
        Table(
            "What success means", ("criterion", "met", "by"), points_of, note=decision(row),
            early=True,
        ),
    ]  # fmt: skip
    return Report(
        f"Run {row['run']}: {pipeline.name}",
        (decision(row), *_lines(row)),
        tuple(check for stage in row["stages"] for check in _checks(stage)),
        tables=tuple(one for one in tables if one.rows),
        curves=tuple(_curves(row, steps)),
    )


def _judged(row: Row) -> Iterator[str]:
    """The names of the figures that its gates looked at."""
    for stage in row["stages"]:
        for check in (stage["gate"] or {}).get("checks", ()):
            yield check["metric"]


def card(row: Row, purpose: str) -> Report:
    """The model's own page."""
    made = row["candidate"] or {}
    figures = [
        (stage["name"], name, one["value"], one["low"], one["high"], one["n"])
        for stage in row["stages"]
        for name, one in sorted(stage["metrics"].items())
    ]
    artifacts = [
        (stage["name"], one["kind"], one["sha256"], one["size"])
        for stage in row["stages"]
        for one in stage.get("artifacts", ())
    ]
    return Report(
        f"Model {made.get('sha256', 'none')[:19]}",
        (
            f"For the role {row['role']}{': ' + purpose if purpose else '.'}",
            f"Made by run {row['run']} ({row['pipeline']}) from {row['base']}, seed {row['seed']}.",
            decision(row),
            "Figures are of held-out problems that it was not trained on, with 95 % intervals;"
            " beyond the role nothing was measured.",
        ),
        (),
        tables=(
            Table("Figures", ("stage", "metric", "value", "low", "high", "n"), figures),
            Table("What it came from", ("stage", "what", "sha256", "bytes"), artifacts),
        ),
    )


def _lines(row: Row) -> list[str]:
    """What it was, how it went, and what it cost."""
    given = f", on the data set {row['given']}" if row["given"] else ""
    lines = [
        f"Role {row['role']} ({row['model_type']}), from {row['base']}, seed {row['seed']}{given}."
    ]
    found = summary(row)
    lines += [
        f"{name.capitalize()}: {one['value']:.3f} ({one['low']:.3f} to {one['high']:.3f},"
        f" {one['n']} items)."
        for name in ("baseline", "final", "improvement")
        if (one := found[name]) is not None
    ]
    spent = sum(one["seconds"] or 0 for one in row["stages"])
    cost = f"{told(spent)} in the stages that stood at the end"
    if row["spent"]["usd"] or row["spent"]["tokens"]:
        cost += f"; calls of models cost {row['spent']['usd']:.2f} dollars"
        cost += f" and {row['spent']['tokens']:,} tokens"
    return (
        [*lines, f"It took {cost}.", people(row)] if people(row) else [*lines, f"It took {cost}."]
    )


def people(row: Row) -> str:
    """What people had to do with it, in a sentence; nothing where it has no place for them."""
    stage = next((one.name for one in PIPELINES[row["pipeline"]].walk if one.people), "")
    if not stage:
        return ""
    asked = row["people"]
    if asked is None:
        return "Nobody was asked to compare answers: the policy skips it, or it came not so far."
    name, many = asked["review"], f"{len(asked['answered'])} of {asked['count']} pairs"
    if asked["open"]:
        until = f" until {asked['until'][:16]}Z" if asked["until"] else ""
        return f"People are asked in queue {name}{until}: {many} have their word."
    return f"People were asked in queue {name}: {many} have their word."


def _checks(stage: Mapping[str, Any]) -> list[Checked]:
    found = []
    for one in (stage["gate"] or {}).get("checks", ()):
        side = "at least" if one["side"] == "at_least" else "at most"
        value = "not measured"
        if one["value"] is not None:
            value = figure(one)
        if one["verdict"] in ("waived", "inconclusive"):
            value += ", " + {"waived": "waived", "inconclusive": "unclear"}[one["verdict"]]
        passed = one["verdict"] in ("pass", "waived")
        name = f"{stage['name']}: {one['metric']}"
        span = None
        if one["value"] is not None and (one["low"], one["high"]) != (None, None):
            span = Span(one["value"], one["low"], one["high"], one["bound"])
        found.append(Checked(name, value, f"{side} {one['bound']:g}", passed, span))
    return found


def _stage(does: str, one: Mapping[str, Any]) -> tuple[object, ...]:
    seconds = "" if one["seconds"] is None else f"{one['seconds']:.1f}"
    gate = one["gate"] or {}
    checks = gate.get("checks", ())
    open_ones = [check for check in checks if check["verdict"] != "pass"]
    many = "its figure holds" if len(checks) == 1 else f"all {len(checks)} figures hold"
    kept = many if checks else one.get("reason", "")
    why = "; ".join(map(shown, open_ones)) or kept
    return (
        one["name"],
        does,
        one["status"],
        one["attempts"],
        seconds,
        gate.get("verdict") or "",
        why,
    )


def _troubles(row: Row) -> list[Table]:
    """What did not hold, what was done about it, and what was given back."""
    failed = [
        (stage["name"], one["attempt"], one["reason"])
        for stage in row["stages"]
        for one in stage.get("troubles", ())
    ]
    applied = [
        (stage["name"], one["symptom"], one["remedy"], _changes(one), one["back_to"])
        for stage in row["stages"]
        for one in (stage["gate"] or {}).get("remedies", ())
    ]
    rounds = [
        (stage["name"], one["trend"], one["decision"], one["reason"])
        for stage in row["stages"]
        for one in stage.get("rounds", ())
    ]
    rolled = [(one["stage"], one["reason"]) for one in row["rolled_back"]]
    worse = [(row["regression"],)] if row["regression"] else []
    headings = ("stage", "symptom", "remedy", "what it changed", "on from")
    return [
        Table("What did not hold", ("stage", "attempt", "why"), failed, early=True),
        Table("What was done where a gate did not hold", headings, applied, early=True),
        Table("Rounds", ("stage", "trend", "decision", "why"), rounds),
        Table("Worse than the baseline", ("why",), worse),
        Table("Rolled back", ("behind", "why"), rolled),
    ]


def _changes(remedy: Mapping[str, Any]) -> str:
    """`learning_rate times 0.5`."""
    made = remedy.get("changes", ())
    return ", ".join(f"{one['setting']} {one['how']} {one['by']:g}" for one in made)


def _accepted(row: Row) -> list[Table]:
    """What was accepted without being surely shown, or without being measured at all."""
    waived = [
        (stage["name"], one["metric"], shown(one))
        for stage in row["stages"]
        for one in (stage["gate"] or {}).get("checks", ())
        if one["verdict"] == "waived"
    ]
    return [Table("Accepted without certainty", ("stage", "figure", "what was found"), waived)]


def _curves(row: Row, steps: Mapping[str, Sequence[Step]]) -> list[Curve]:
    """Each with the bounds of its own gate, as they were judged."""
    found = []
    gates = {one["name"]: (one["gate"] or {}).get("checks", ()) for one in row["stages"]}
    for stage, lines in steps.items():
        for name in DRAWN:
            points = [
                (float(one["step"]), float(one[name]))
                for one in lines
                if isinstance(one.get(name), int | float)
            ]
            if len(points) > 1:
                thin = points[:: max(1, len(points) // MOST)]
                bounds = _bounds(name, gates.get(stage.partition(" ")[0], ()))
                found.append(Curve(f"{stage}: {name}", tuple(thin), *bounds))
    return found


def _bounds(name: str, checks: Sequence[Mapping[str, Any]]) -> tuple[float, ...]:
    """Of the first metric by which a gate means this number: one bound, or the two of a band."""
    for metric in JUDGED.get(name, (name,)):
        bounds = sorted({float(one["bound"]) for one in checks if one["metric"] == metric})
        if bounds:
            return tuple(bounds[:2])
    return ()
