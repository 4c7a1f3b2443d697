"""One run as text: where it stands, what its gates judged, what was done, how long it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.cli import show
from infra.cli.gist import change
from pipelines.catalog import PIPELINES
from pipelines.criteria import Point, decision, figure, number, points
from pipelines.forecast import Forecast, said
from pipelines.meanings import explained
from pipelines.summary import summary
from pipelines.telling import people

Row = Mapping[str, Any]


def told_run(row: Row, whole: Forecast | None, left: Forecast | None) -> str:
    """All of it, what was decided first."""
    parts = [_head(row, whole, left)]
    if row["ended_at"] and (found := points(row)):
        lines = [decision(row), *_outcome(row)]
        lines += [f"  {one.met:<12} {_point(one)}" for one in found]
        parts.append("\n".join(lines))
    parts.append(_stages(row))
    tried = _tried(row)
    if tried:
        parts.append("\n".join(["What was tried on the way:", *tried]))
    checks = [line for one in row["stages"] for line in _checks(one)]
    if checks:
        headings = ("stage", "figure", "value", "from", "to", "items", "bound", "verdict")
        parts.append(show.table(headings, checks))
        meant = explained(dict.fromkeys(str(line[1]) for line in checks))
        wide = max(map(len, meant), default=0)
        lines = [f"  {name:<{wide}}  {told}" for name, told in meant.items()]
        parts.append("\n".join(["From and to: the 95 % interval. What the figures say:", *lines]))
    parts.append("\n".join(["Next:", *_next(row)]))
    return "\n\n".join(parts)


def _point(one: Point) -> str:
    """A criterion, and by which figure it is met or not."""
    return f"{one.says}: {one.found}" if one.found else one.says


def _outcome(row: Row) -> list[str]:
    """What it was and what it has become, where the run came so far."""
    found = summary(row)
    before, after, more = (found[name] for name in ("baseline", "final", "improvement"))
    if more is None:
        return []
    if before is None or after is None:
        return [f"Better by {figure(more)}, {more['n']} problems that nobody had seen."]
    return [
        f"From {figure(before)} to {figure(after)}: better by {figure(more)}, {more['n']} problems"
        " that nobody had seen."
    ]


def _next(row: Row) -> list[str]:
    """Commands for whoever wants to know more, or has to act."""
    run, called = row["run"], show.called()
    asked = row["people"]
    lines: list[tuple[str, str]] = []
    if asked is not None and asked["open"]:
        lines.append((f"review list {asked['review']}", "people are asked: answer"))
    if row["ended_at"] is None:
        if row["status"] == "paused":
            lines.append((f"runs resume {run}", "let it go on"))
        elif row["held"]:
            lines.append((f"runs approve {run}", "let it go on"))
        else:
            lines.append((f"runs pause {run}", "or hold, cancel, rollback: a hand on it"))
    else:
        lines.append((f"runs report {run}", "pages with the curves beside their bounds"))
    if row["candidate"]:
        lines.append((f"models show {run}", "the model, and what became of it"))
    far = "how it came to this end" if row["ended_at"] else "what asked for it"
    lines.append((f"why {row['position']}", far))
    if row["status"] == "abandoned":
        lines.append(("what-if --policy FILE", "which decisions other bounds would have changed"))
        again = f"role={row['role']} pipeline={row['pipeline']} base={row['base']}"
        lines.append((f"publish TrainingRequested {again}", "once more, with another seed"))
    wide = max(len(command) for command, _ in lines)
    return [f"  {called} {command:<{wide}}  {why}" for command, why in lines]


def _head(row: Row, whole: Forecast | None, left: Forecast | None) -> str:
    held = ", held until somebody approves" if row["held"] and not row["ended_at"] else ""
    reason = f": {row['reason']}" if row["reason"] else ""
    given = f", on data set {row['given']}" if row["given"] else ""
    lines = [
        f"Run {row['run']} of role {row['role']}, pipeline {row['pipeline']}, from {row['base']}, "
        f"seed {row['seed']}{given}",
        f"{row['status']}{reason}{held}, begun {row['started_at'][:19]}Z",
    ]
    if row["ended_at"]:
        lines[-1] += f", ended {row['ended_at'][:19]}Z"
    else:
        lines.append(_ahead(row, whole, left))
    budget = _budget(row)
    if budget:
        lines.append(budget)
    if row["people"] is not None:
        lines.append(people(row))
        if row["people"]["open"]:
            lines.append(f"next: `ratchet review list {row['people']['review']}`")
    return "\n".join(lines)


def _ahead(row: Row, whole: Forecast | None, left: Forecast | None) -> str:
    """How long it takes here, or what people plan with where nobody knows yet."""
    if left is not None:
        line = f"Time left: {said(left)}."
    else:
        line = f"Time it takes: {said(whole)}."
        planned = "; ".join(f"{what}: {time}" for what, time in PIPELINES[row["pipeline"]].planned)
        if whole is None and planned:
            line += f" People plan with: {planned}."
    return line if row["due"] is None else f"{line} It is given up at {row['due'][:19]}Z."


def _budget(row: Row) -> str:
    spent, limits = row["spent"], row["limits"]
    parts = []
    if spent["usd"] or limits["usd"] is not None:
        of = "" if limits["usd"] is None else f" of {limits['usd']:.2f}"
        parts.append(f"{spent['usd']:.2f}{of} dollars")
    if spent["tokens"] or limits["tokens"] is not None:
        of = "" if limits["tokens"] is None else f" of {limits['tokens']:,}"
        parts.append(f"{spent['tokens']:,}{of} tokens")
    return f"Calls of models: {', '.join(parts)}" if parts else ""


def _stages(row: Row) -> str:
    columns = ("stage", "status", "attempts", "seconds", "gate")
    return show.table(columns, [_stage(one) for one in row["stages"]])


def _stage(one: Row) -> tuple[object, ...]:
    seconds = "" if one["seconds"] is None else f"{one['seconds']:.1f}"
    gate = (one["gate"] or {}).get("verdict", "")
    return one["name"], one["status"], one["attempts"] or "", seconds, gate


def _checks(stage: Row) -> list[tuple[object, ...]]:
    """The figures that its gate looked at last."""
    found: list[tuple[object, ...]] = []
    for one in (stage["gate"] or {}).get("checks", ()):
        sign = ">=" if one["side"] == "at_least" else "<="
        value, low, high = (
            "" if one[name] is None else number(one[name]) for name in ("value", "low", "high")
        )
        bound = f"{sign} {one['bound']:g}"
        found.append(
            (stage["name"], one["metric"], value, low, high, one["n"], bound, one["verdict"])
        )
    return found


def _tried(row: Row) -> list[str]:
    """What did not hold and what was done about it, rounds, and what was given back."""
    lines = []
    for one in row["stages"]:
        left = list((one["gate"] or {}).get("remedies", ()))
        for it in one["troubles"]:
            lines.append(f"  {one['name']}, attempt {it['attempt']}: {it['reason']}")
            if left and left[0].get("attempt", it["attempt"]) == it["attempt"]:
                lines.append(f"    -> {_remedy(left.pop(0))}")
        lines += [f"  {one['name']} -> {_remedy(it)}" for it in left]
        for place, it in enumerate(one.get("rounds", ()), 1):
            told = f"{it['trend']}, {it['reason']}: {it['decision']}"
            lines.append(f"  {one['name']}, round {place}: {told}")
    if row["regression"]:
        lines.append(f"  worse than the baseline: {row['regression']}")
    lines += [f"  rolled back behind {it['stage']}: {it['reason']}" for it in row["rolled_back"]]
    return lines


def _remedy(it: Row) -> str:
    """What was done, for what, what it changed, from where the run went on."""
    changed = "".join(f", {change(one)}" for one in it.get("changes", ()))
    return f"{it['remedy']} (for {it['symptom']}){changed}; on from {it['back_to']}"
