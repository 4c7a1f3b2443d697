"""What becomes of a file of somebody's rows: read, redacted, searched for leaks, measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from events.catalog.reviews import ReviewOpened
from events.catalog.training import Artifact
from events.errors import Malformed, NotFound
from events.ingress import admitted
from guardrails import personal, secrets
from infra import publishing
from infra.cli import show
from infra.cli.keeping import content, opened, put
from infra.cli.states import state
from pipelines.data.guards import evaluation_texts
from pipelines.data.importing import Imported, Sort, imported, preferred
from pipelines.data.merging import Sourced, merged
from pipelines.data.pairs import paired
from pipelines.data.quality import guarding
from pipelines.data.queues import REVIEWS
from pipelines.data.report import Report, markdown, page
from pipelines.data.reviewing import to_be_asked
from pipelines.data.rows import Provenance, Row, sidecar, written
from pipelines.data.telling import of_pairs, of_trajectories
from trainers.model_types.finding import blamed, model_type, origin
from trainers.model_types.kind import ModelType

SOURCE = "import"
LONGEST_LICENCE = 200
"""Characters of a licence's name."""


@dataclass(frozen=True)
class Found:
    """The rows of a file, and in how many of their texts something was redacted."""

    rows: list[Imported]
    redacted: int


@dataclass(frozen=True)
class Made:
    """What is kept of them."""

    count: int
    files: dict[str, bytes]
    """Rows, provenance and report, as artifacts."""
    told: str
    """The report once more, as Markdown."""
    quality: dict[str, Any]
    removed: dict[str, int]
    redacted: int
    waiting: list[Row] = field(default_factory=list)
    """Pairs that a person could settle."""


class _Redaction:
    """Takes personal data and secrets out of texts, and counts in how many there were some."""

    def __init__(self) -> None:
        self.texts = 0

    def __call__(self, text: str) -> str:
        without, found = personal.redacted(text)
        again, more = secrets.redacted(without)
        self.texts += bool(found or more)
        return again


def read(file: str, kind: Sort, licence: str) -> Found:
    """The rows of a file; one error that tells by line what is wrong with it."""
    if len(licence) > LONGEST_LICENCE:
        what = f"a licence of {len(licence):,} characters"
        raise Malformed(what, where="--licence", right=f"its name, in at most {LONGEST_LICENCE}")
    redaction = _Redaction()
    scorer = "whoever labelled it" if kind == "pairs" else None
    origin = Provenance(source=SOURCE, method=SOURCE, licence=licence, scorer=scorer)
    with opened(file) as source:
        return Found(imported(source, kind, file, origin, redaction), redaction.texts)


def guarded(sets: Iterable[Mapping[str, Any]]) -> list[str]:
    """The texts of all registered evaluation sets."""
    return evaluation_texts(content, [Artifact.model_validate(one["artifact"]) for one in sets])


def made(found: Found, kind: Sort, like: ModelType | None, items: Sequence[str], file: str) -> Made:
    """What is kept of the rows; an error where nothing is left of them."""
    making = _pairs if kind == "pairs" else _trajectories
    if like is None:
        return making(found, like, items, file)
    doing = "measuring rows with this type"
    return blamed(origin(like), doing, lambda: making(found, like, items, file))


def type_of(profile: Mapping[str, Any]) -> ModelType | None:
    """What verifies the rows of a role; None where nobody here knows its type."""
    try:
        found: ModelType = model_type(profile["model_type"])
    except NotFound:
        return None
    return found


def unopened(review: str, role: str) -> None:
    """Refuse to open a queue a second time, or under a name that none can have."""
    admitted("ReviewOpened", {**ReviewOpened.example, "review": review, "role": role})
    if review in state(REVIEWS):
        raise Malformed(f"there is a queue {review!r} already", where=review, right="another name")


def queued(review: str, role: str, rows: Sequence[Row]) -> dict[str, Any]:
    """Open a queue of pairs; the event that says so."""
    items = put("review", written(rows))
    event = {"review": review, "role": role, "items": items, "count": len(rows)}
    publishing.publish(show.home(), admitted("ReviewOpened", event))
    return event


def _trajectories(found: Found, like: ModelType | None, items: Sequence[str], file: str) -> Made:
    rows = [one.row for one in found.rows]
    sourced = Sourced(SOURCE, rows, [one.provenance for one in found.rows])
    whole = merged([sourced], like, guarding(items, like), len(rows), target=0.0)
    if not whole.rows:
        wrong = whole.by_source[SOURCE].invalid
        told = [f"line {found.rows[one].line}: {why}" for one, why in list(wrong.items())[:5]]
        raise _nothing_left(whole.removed, file, "; ".join(told))
    quality = whole.by_source[SOURCE].figures()
    report = of_trajectories("Imported rows", whole)
    return Made(
        len(whole.rows),
        _files(whole.rows, whole.provenance, report),
        markdown(report),
        {name: one.model_dump(mode="json") for name, one in quality.items()},
        whole.removed,
        found.redacted,
    )


def _pairs(found: Found, like: ModelType | None, items: Sequence[str], file: str) -> Made:
    whole = paired(list(preferred(found.rows)), guarding(items, like))
    if not whole.kept:
        raise _nothing_left(whole.removed(), file)
    provenance = [one.provenance for one in whole.kept]
    rows = [one.kept() for one in whole.kept]
    report = of_pairs("Imported pairs", whole)
    return Made(
        len(rows),
        _files(rows, provenance, report),
        markdown(report),
        {gate.name: gate.value.model_dump(mode="json") for gate in whole.gates},
        whole.removed(),
        found.redacted,
        to_be_asked(whole.waiting()),
    )


def _files(
    rows: Sequence[Row], provenance: Sequence[Provenance], report: Report
) -> dict[str, bytes]:
    return {
        "rows": written(rows),
        "provenance": sidecar(provenance),
        "report": page(report).encode("utf-8", "replace"),
    }


def _nothing_left(removed: Mapping[str, int], file: str, told: str = "") -> Malformed:
    reasons = ", ".join(f"{many:,} {reason}" for reason, many in removed.items())
    what = f"no row is left ({reasons or 'no answer is better than another'})"
    what += f"; {told}" if told else ""
    return Malformed(what, where=file, right="rows that the role's type can verify, none twice")
