"""`ratchet data`: data sets as history holds them, rows brought along, and what must not leak."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from events.errors import Malformed, NotFound, RatchetError
from events.ids import derived_id
from events.ingress import OPERATOR, admitted
from infra import publishing
from infra.cli import show
from infra.cli.keeping import content, opened, put, written_to
from infra.cli.states import named, state

if TYPE_CHECKING:
    from pipelines.data.importing import Sort

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

Dataset = typer.Argument(metavar="DATASET", help="Which data set.")
PAIRS, CELL = 3, 60
"""Pairs that are shown of a set, and characters of each text."""
EXPORTED = {"rows": "rows.jsonl", "provenance": "provenance.jsonl", "report": "report.html"}


@app.callback()
def data() -> None:
    """Training data: what there is, your own rows, and what must not be in it."""


@app.command("list")
def list_datasets() -> None:
    """List the data sets, the oldest first."""
    from pipelines.data.sets import DATASETS

    rows = list(state(DATASETS).values())
    columns = ("dataset", "role", "kind", "status", "count", "quality", "begun_at")
    shown = [
        [_overall(row) if name == "quality" else row[name] for name in columns] for row in rows
    ]
    table = show.table(columns, shown)
    show.answer({"datasets": rows}, table if rows else "There are no data sets yet.")


@app.command("show")
def show_dataset(dataset: str = Dataset) -> None:
    """Show one data set: its parts, its quality, what was taken out; of pairs some of them."""
    from pipelines.data.sets import DATASETS

    row = named("data set", dataset, state(DATASETS))
    if row["kind"] == "pairs" and "rows" in row:
        row = {**row, "pairs": _first(row["rows"]["sha256"])}
    show.answer(row, _text(row))


@app.command("import")
def import_rows(
    file: str = typer.Argument(metavar="FILE", help="JSON lines; - for standard input."),
    role: str = typer.Option(..., help="The role that they are to train."),
    kind: str = typer.Option("trajectories", help="trajectories or pairs."),
    name: str = typer.Option("", help="Of the data set; else from its content."),
    licence: str = typer.Option("unknown", help="Under which they may be used."),
    review: str = typer.Option("", help="Queue pairs that nobody can be sure of, under this name."),
    report: str = typer.Option("", metavar="FILE", help="Write the report there as Markdown."),
) -> None:
    """Bring rows along: checked line by line, searched for leaks, measured, kept."""
    from agents.rules import ROLES
    from infra.cli import importing
    from pipelines.data.sets import DATASETS, EVALUATION_SETS

    if kind not in ("trajectories", "pairs"):
        raise Malformed(f"{kind[:60]!r} is no kind", where="--kind", right="trajectories or pairs")
    profile = named("role", role, state(ROLES))["profile"]
    sort: Sort = "pairs" if kind == "pairs" else "trajectories"
    like = importing.type_of(profile)
    found = importing.read(file, sort, licence)
    guarded = importing.guarded(state(EVALUATION_SETS).values())
    made = importing.made(found, sort, like, guarded, file)
    kept = {part: put(part, body) for part, body in made.files.items()}
    dataset = name or f"import-{kept['rows']['sha256'][7:19]}"
    before = state(DATASETS).get(dataset)
    if before is not None and before.get("rows") != kept["rows"]:
        what = f"there is a data set {dataset!r} already, with other rows"
        raise Malformed(what, where="--name", right="another name")
    event = {
        "dataset": dataset, "role": role, "kind": kind, "count": made.count, "licence": licence,
        "quality": made.quality, "removed": made.removed, **kept,
    }  # fmt: skip
    said = {
        **event, "changed": before is None, "redacted": made.redacted, "review": None,
        "verified": like is not None,
    }  # fmt: skip
    if review and before is None:
        importing.unopened(review, role)
    if report:  # what cannot be written is told before anything is said
        written_to(Path(report), made.told.encode("utf-8", "replace"))
    if before is None:
        event_id = derived_id("imported", dataset, kept["rows"]["sha256"])
        draft = admitted("DatasetImported", event, event_id, OPERATOR)
        said["position"] = publishing.publish(show.home(), draft)["position"]
    if review and made.waiting and before is None:
        said["review"] = importing.queued(review, role, made.waiting)
    show.answer(said, _imported(said))


@app.command()
def export(
    dataset: str = Dataset,
    to: str = typer.Option(".", metavar="DIR", help="Where the files are to lie."),
) -> None:
    """Write the rows, their provenance and the report of a data set as files."""
    from pipelines.data.sets import DATASETS

    row = named("data set", dataset, state(DATASETS))
    if "rows" not in row:
        raise NotFound(
            f"data set {dataset!r} has no rows", where="DATASET", right=f"it is {row['status']}"
        )
    written = [
        written_to(Path(to) / f"{dataset}.{name}", content(row[part]["sha256"]))
        for part, name in EXPORTED.items()
    ]
    lines = "\n".join(f"wrote {one}" for one in written)
    show.answer({"dataset": dataset, "written": written}, lines)


@app.command()
def guard(
    file: str = typer.Argument("", metavar="[FILE]", help="JSON lines with a prompt each."),
    name: str = typer.Option("", help="Of the evaluation set; else that of the file."),
) -> None:
    """Register an evaluation set, so that no training data holds it; without FILE, list them."""
    from pipelines.data.importing import imported
    from pipelines.data.rows import Provenance
    from pipelines.data.rows import written as lines
    from pipelines.data.sets import EVALUATION_SETS

    known = state(EVALUATION_SETS)
    if not file:
        columns = ("name", "rows", "registered_at")
        table = show.table(columns, [[row[one] for one in columns] for row in known.values()])
        none = "No evaluation set is registered: `ratchet data guard FILE`."
        show.answer({"evaluation_sets": list(known.values())}, table if known else none)
        return
    name = name or ("" if file == "-" else Path(file).name.split(".")[0])
    with opened(file) as source:
        origin = Provenance(source="evaluation", method="guard")
        rows = [one.row for one in imported(source, "evaluation", file, origin)]
    event = {"name": name, "artifact": put("evaluation", lines(rows)), "rows": len(rows)}
    before = known.get(name)
    changed = before is None or before["artifact"] != event["artifact"]
    said: dict[str, Any] = {**event, "changed": changed}
    if changed:
        draft = admitted("EvaluationSetRegistered", event)
        said["position"] = publishing.publish(show.home(), draft)["position"]
    done = "guarded from now on" if changed else "guarded already"
    show.answer(said, f"evaluation set {name}, {len(rows):,} rows: {done}")


def _overall(row: dict[str, Any]) -> str:
    figure = row["quality"].get("overall")
    return f"{figure['value']:.3f}" if figure else ""


def _first(reference: str) -> list[dict[str, Any]]:
    """The first pairs of a file; none where it cannot be read any more."""
    from pipelines.data.rows import read

    try:
        return read(content(reference))[:PAIRS]
    except RatchetError:
        return []


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= CELL else f"{text[: CELL - 1]}…"


def _text(row: dict[str, Any]) -> str:
    reason = f": {row['reason']}" if row["reason"] else ""
    head = (
        f"Data set {row['dataset']} of role {row['role']}, {row['count']:,} {row['kind']}\n"
        f"{row['status']}{reason}, begun {row['begun_at'][:19]}Z\n"
    )
    figures = [
        (name, f"{one['value']:.3f}", f"{one['low']:.3f} to {one['high']:.3f}", one["n"])
        for name, one in row["quality"].items()
    ]
    columns = ("part", "source", "status", "quantity", "accepted", "reason")
    parts = [[one.get(name, "") for name in columns] for one in row["parts"].values()]
    pairs = [
        [_short(one.get(name, "")) for name in ("prompt", "chosen", "rejected", "gap")]
        for one in row.get("pairs", ())
    ]
    tables = (
        (("quality", "value", "interval", "n"), figures),
        (("taken out", "rows"), list(row["removed"].items())),
        (columns, parts),
        (("prompt", "chosen", "rejected", "gap"), pairs),
    )
    shown = [f"{show.table(headings, rows)}\n" for headings, rows in tables if rows]
    queue = (
        f"{row['waits']:,} pairs can be settled by people: `ratchet review list {row['review']}`\n"
    )
    return "\n".join([head, *shown, *([queue] if row["review"] else [])]).rstrip("\n")


def _imported(said: dict[str, Any]) -> str:
    removed = ", ".join(f"{many:,} {reason}" for reason, many in said["removed"].items())
    lines = [
        f"data set {said['dataset']}, {said['count']:,} {said['kind']}: "
        + (f"position {said['position']}" if said["changed"] else "unchanged")
    ]
    if removed:
        lines.append(f"  taken out: {removed}")
    if not said["verified"]:
        lines.append("  nobody here knows the type of this role: only their form was checked")
    if said["redacted"]:
        lines.append(f"  personal data and secrets were redacted in {said['redacted']:,} texts")
    for name, one in said["quality"].items():
        interval = f" ({one['low']:.3f} to {one['high']:.3f})" if one["low"] < one["high"] else ""
        lines.append(f"  {name}: {one['value']:.3g}{interval}")
    if said["review"] is not None:
        many = said["review"]["count"]
        lines.append(f"  {many:,} pairs wait for a person: `ratchet review list`")
    return "\n".join(lines)
