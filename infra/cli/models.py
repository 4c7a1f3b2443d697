"""`ratchet models`: versions by role, why each was taken, where it came from; models of one's own.

A model is named by its version (`support/v3`), by the name under which it was added, by the first
digits of its hash, or by the run that made it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import typer

from events.errors import Malformed, NotFound
from events.ids import derived_id
from events.ingress import OPERATOR, admitted
from infra import publishing
from infra.cli import show
from infra.cli.states import named, state
from infra.cli.verifying import verify

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

Model = typer.Argument(
    metavar="MODEL", help="role/v2, a name, the first digits of a hash, or the run that made it."
)
COLUMNS = ("model", "status", "score", "improvement", "pipeline", "base", "run", "registered_at")


app.command("verify")(verify)


@app.callback()
def models() -> None:
    """The registry of models: versions, selection, lineage, and your own."""


@app.command("list")
def list_models(
    role: str = typer.Option("", help="Of this role only."),
    limit: int = typer.Option(100, min=1, max=10_000, help="The newest so many."),
) -> None:
    """List models, the oldest first."""
    from pipelines.lineage import chosen
    from pipelines.registry import brief

    known = _registry()
    if role and role not in known.get("roles", {}):
        from agents.rules import ROLES

        named("role", role, state(ROLES))  # one that has no model yet has none to list
    every = chosen(known, role)
    rows = [brief(one) for one in every[-limit:]]
    table = show.table(COLUMNS, [[_cell(row, name) for name in COLUMNS] for row in rows])
    more = f"\n{len(every) - len(rows):,} older ones: --limit" if len(every) > len(rows) else ""
    text = table + more if rows else "There are no models yet."
    show.answer({"models": rows, "total": len(every)}, text)


@app.command("show")
def show_model(model: str = Model) -> None:
    """Show one model: how good it is, why it was taken, what became of it."""
    from pipelines.lineage import meant

    row = meant(_registry(), model)
    show.answer(row, _text(row))


@app.command()
def diff(
    one: str = typer.Argument(metavar="MODEL", help="As in `models show`."),
    other: str = typer.Argument(metavar="OTHER", help="The one that is told beside it."),
) -> None:
    """Compare two models: where they came from, and which figures surely differ."""
    from pipelines.differing import differing
    from pipelines.lineage import meant

    known = _registry()
    found = differing(meant(known, one), meant(known, other))
    show.answer(found, _told_apart(found))


@app.command()
def lineage(
    model: str = Model,
    html: str = typer.Option("", metavar="FILE", help="Write it as a page for a browser."),
) -> None:
    """Where a model came from: runs, data and bases, back to the beginning."""
    from pipelines.lineage import lineage as ancestors
    from pipelines.lineage import meant, tree

    known = _registry()
    found = ancestors(known, meant(known, model))
    said = "\n".join(tree(found))
    if html:
        from infra.cli.keeping import written_to
        from pipelines.family import drawn

        said += f"\nwrote {written_to(Path(html), drawn(found).encode())}"
    show.answer(found, said)


@app.command()
def card(model: str = Model) -> None:
    """Print the card of a model, as Markdown."""
    from agents.rules import ROLES
    from pipelines.data.report import markdown
    from pipelines.lineage import lineage as ancestors
    from pipelines.lineage import meant
    from pipelines.model_cards import model_card

    known = _registry()
    row = meant(known, model)
    role: dict[str, Any] = state(ROLES).get(row.get("role", ""), {})
    purpose = role.get("profile", {}).get("purpose", "")
    text = markdown(model_card(row, ancestors(known, row), purpose))
    show.answer({"model": row["model"], "card": text}, text)


@app.command()
def export(
    model: str = Model,
    folder: str = typer.Argument(metavar="FOLDER", help="A new folder for the model's files."),
    adapter: bool = typer.Option(False, help="In two parts, adapter and base, where it has them."),
) -> None:
    """Write the files of a model into a new folder."""
    from events.artifacts import Artifacts
    from infra.exporting import written_out
    from pipelines.lineage import meant, parts

    row = meant(_registry(), model)
    wanted = parts(row) if adapter else {"": row["sha256"]}
    if not wanted:
        what = f"{row['model']} was made without adapters"
        raise NotFound(what, where="--adapter", right="the whole model, without --adapter")
    files = written_out(Artifacts(show.home().artifacts), wanted, Path(folder))
    said = {"model": row["model"], "sha256": row["sha256"], "folder": folder, "files": files}
    show.answer(said, f"wrote {len(files)} files of {row['model']} into {folder}")


@app.command()
def add(
    folder: str = typer.Argument(metavar="FOLDER", help="A causal language model, saved whole."),
    name: str = typer.Option(..., help="Under which runs can begin from it: base=NAME."),
    licence: str = typer.Option("unknown", help="Under which it may be used."),
    note: str = typer.Option("", help="Where it comes from, or what it is good for."),
) -> None:
    """Bring a model of your own along: its files are kept, and runs can begin from it."""
    from agents.trainer.workers.models import kept
    from events.artifacts import Artifacts
    from trainers.base import check_base

    place = Path(folder).expanduser()
    if not place.is_dir():
        raise NotFound("there is no such folder", where=folder, right="a model's folder")
    check_base(str(place), "FOLDER")
    if (place / "adapter_config.json").exists():
        what = "these are adapters, which are of no use without their base"
        raise Malformed(what, where=folder, right="the whole model, the adapters merged into it")
    one = kept(Artifacts(show.home().artifacts), place, "base").model_dump(mode="json")
    event = {"name": name, "model": one, "licence": licence, "note": note}
    before = _registry().get("models", {}).get(name)
    said: dict[str, Any] = {**event, "changed": _differs(before, event)}
    if said["changed"]:
        event_id = derived_id("added", name, one["sha256"], licence, note, str(uuid4()))
        draft = admitted("ModelAdded", event, event_id, OPERATOR)
        said["position"] = publishing.publish(show.home(), draft)["position"]
    done = f"position {said['position']}" if said["changed"] else "unchanged"
    show.answer(said, f"model {name}, {one['size']:,} bytes, {one['sha256'][:19]}: {done}")


def _registry() -> dict[str, Any]:
    from pipelines.models import MODELS  # the shapes of many events: --help need not load them

    return state(MODELS)


def _differs(before: dict[str, Any] | None, event: dict[str, Any]) -> bool:
    if before is None:
        return True
    same = (before["sha256"], before["licence"], before["note"])
    return same != (event["model"]["sha256"], event["licence"], event["note"])


def _cell(row: dict[str, Any], name: str) -> str:
    one = row[name]
    if isinstance(one, dict):
        return f"{one['value']:.3f} ({one['low']:.3f} to {one['high']:.3f})"
    return str(one or "")[:19]


def _told_apart(found: dict[str, Any]) -> str:
    from pipelines.criteria import figure
    from pipelines.differing import rows

    one, other = found["models"]
    parts = [f"{other} beside {one}" + (": the same model" if found["same"] else "")]
    facts = [
        (it["what"], *(_plain(it[side]) for side in ("one", "other"))) for it in found["facts"]
    ]
    if facts:
        parts.append(show.table(("", one, other), facts))
    for title, name in (
        ("At the end of its own run, each on problems of its own:", "figures"),
        ("When it was last verified (`fixed` is of the same problems for all):", "suites"),
    ):
        table = rows(found[name], figure)
        if table:
            headings = ("", one, other, f"{other} is")
            parts.append(f"{title}\n{show.table(headings, table)}")
    return "\n\n".join(parts)


def _plain(value: object) -> str:
    return "" if value is None else str(value)[:19]


def _text(row: dict[str, Any]) -> str:
    from pipelines import model_cards as told
    from pipelines.criteria import figure
    from pipelines.lineage import parts
    from pipelines.meanings import explained
    from pipelines.summary import score

    reason = f": {row['reason']}" if row["reason"] else ""
    head = f"Model {row['model']}, {row['status']}{reason}\n{row['sha256']}, {row['size']:,} bytes"
    if row["status"] == "added":
        note = f", {row['note']}" if row["note"] else ""
        return f"{head}\nbrought along, licence {row['licence']}{note}"
    base = (row["base"] or {}).get("name")
    head += (
        f"\nmade by run {row['run']} ({row['pipeline']}, seed {row['seed']}) from {base},"
        f" registered {row['registered_at'][:19]}Z"
        f"\ntaken as {row['selection']['why']}"
    )
    if (more := row["metrics"].get("improvement")) is not None:
        before, after = row["metrics"].get("baseline"), score(row["metrics"])
        spans = [figure(one) for one in (before, after) if one is not None]
        head += f"\n{' to '.join(spans)}: better by {figure(more)} than what its run began from"
    if "adapter" in (own := parts(row)):
        head += f"\nadapters {own['adapter'][:19]}: ratchet models export {row['model']} FOLDER"
        head += " --adapter"
    tables = (
        (told.CHECKPOINT, told.checkpoints(row)),
        (told.FIGURE, told.figures(row)),
        (told.VERIFIED, told.verifications(row)),
        (("since", "status", "why"), told.changes(row)),
    )
    shown = [show.table(headings, rows) for headings, rows in tables if rows]
    meant = explained(sorted(row["metrics"]))
    if meant:
        wide = max(map(len, meant))
        shown.append("\n".join(f"{name:<{wide}}  {says}" for name, says in meant.items()))
    called, further = show.called(), [f"models lineage {row['model']}"]
    if row["before"]:
        further.append(f"models diff {row['before']} {row['model']}")
    further.append(f"runs show {row['run']}")
    return "\n\n".join([head, *shown, "\n".join(f"{called} {one}" for one in further)])
