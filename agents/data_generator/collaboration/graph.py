"""The collaboration as a graph: retrieve, plan, verify, and again up to three times.

    retrieve -> plan -> verify -> the end, accepted or rejected
                 ^        |
                 +--------+  while something is wrong, at most 3 regenerations

The state is plain JSON. There is no checkpointer: what calls brought is in the journal, and a graph
that is run again finds it there, so nothing that was pickled or packed is ever read.

Nothing is traced, whatever the environment says: tracing is off in the context of each run, which
goes before the environment, and all that runs below inherits that context.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langsmith import tracing_context

from agents.data_generator.collaboration.answers import PlannedTrajectory
from agents.data_generator.collaboration.calling import Came
from agents.data_generator.collaboration.checks import Checked, checked, improper
from agents.data_generator.collaboration.plan import LEAST_SCORE, REGENERATIONS
from agents.data_generator.collaboration.planner import planned
from agents.data_generator.collaboration.retriever import retrieved
from agents.data_generator.collaboration.session import Rejected, Result, Session, Verified
from agents.data_generator.collaboration.verifier import judged, said_of, score_of
from events.errors import Malformed
from trainers.model_types.kind import Problem

MOST_NODES = 2 * (REGENERATIONS + 1) + 2


class State(TypedDict, total=False):
    """What one node tells the next; numbers of problems are written as text, as JSON has them."""

    context: dict[str, Any]
    attempt: int
    """How often the teacher has been asked."""
    pending: list[int]
    """Problems without a solution that was accepted."""
    solved: list[int]
    """Problems whose solution of this attempt passed all checks."""
    wrong: dict[str, dict[str, Any]]
    """The last reason and the issues of each problem that is pending."""
    accepted: dict[str, float]
    """The score of each solution that was accepted."""
    failed: dict[str, Any]
    """Why nothing more can be asked, where that is so."""


async def retrieve(state: State, runtime: Runtime[Session]) -> State:
    """What the models have to know."""
    session = runtime.context
    context = await retrieved(session)
    asked = {"problems": [one.prompt for one in session.problems], **state}
    session.keep("retrieve", 1, asked, context)
    return {"context": context}


async def plan(state: State, runtime: Runtime[Session]) -> State:
    """Solutions by the teacher, checked without any model."""
    session = runtime.context
    attempt = state["attempt"] + 1
    issues = {number: one["issues"] for number, one in state["wrong"].items()}
    came = await planned(session, state["context"], attempt, state["pending"], issues)
    if came.transport:
        failed = _failed("teacher", came)
        session.keep("plan", attempt, came.given, {**came.gave, **failed})
        return {"attempt": attempt, "failed": failed}
    solved, wrong = [], {}
    for number in state["pending"]:
        found = await _checked(session, session.problems[number], number, came)
        session.checks[number] = found
        if found.reason:
            wrong[str(number)] = {"reason": found.reason, "issues": list(found.issues)}
        else:
            solved.append(number)
    session.keep("plan", attempt, came.given, {"answer": came.gave, "wrong": wrong})
    return {"attempt": attempt, "solved": solved, "wrong": wrong}


async def verify(state: State, runtime: Runtime[Session]) -> State:
    """What the verifier thinks of those that passed."""
    session = runtime.context
    attempt, wrong = state["attempt"], dict(state["wrong"])
    found = {number: session.checks[number] for number in state["solved"]}
    came = await judged(session, state["context"], attempt, found)
    if came.transport:
        failed = _failed("verifier", came)
        session.keep("verify", attempt, came.given, {**came.gave, **failed})
        return {"failed": failed}
    accepted = dict(state["accepted"])
    for number, one in found.items():
        thought = (came.value or {}).get(number)
        score = score_of(one, thought)
        if score >= LEAST_SCORE:
            accepted[str(number)] = score
        elif came.failed:
            reason = f"verifier_{came.failed}"
            wrong[str(number)] = {"reason": reason, "issues": [came.why]}
        else:
            wrong[str(number)] = {"reason": "low_score", "issues": list(said_of(thought))}
    pending = [number for number in state["pending"] if str(number) not in accepted]
    session.keep("verify", attempt, came.given, {"answer": came.gave, "wrong": wrong})
    return {"accepted": accepted, "pending": pending, "wrong": wrong}


def after_plan(state: State) -> str:
    return "verify" if state["solved"] and not state["failed"] else again(state)


def again(state: State) -> str:
    """Whether the teacher is asked once more."""
    over = state["failed"] or not state["pending"] or state["attempt"] > REGENERATIONS
    return str(END) if over else "plan"


def _built() -> Any:
    graph = StateGraph(State, context_schema=Session)
    for node in (retrieve, plan, verify):
        graph.add_node(node.__name__, node)
    graph.add_edge(START, "retrieve")
    graph.add_edge("retrieve", "plan")
    graph.add_conditional_edges("plan", after_plan, ["verify", "plan", END])
    graph.add_conditional_edges("verify", again, ["plan", END])
    return graph.compile(checkpointer=False)


GRAPH = _built()


async def run(session: Session) -> tuple[Result, ...]:
    """Take a session from its problems to a result for each of them."""
    begin: State = {
        "attempt": 0,
        "pending": list(range(len(session.problems))),
        "solved": [],
        "wrong": {},
        "accepted": {},
        "failed": {},
    }
    async with session.turn.computing():
        with tracing_context(enabled=False), _obsolete_wishes_told():
            state = await GRAPH.ainvoke(begin, {"recursion_limit": MOST_NODES}, context=session)
    ended = {name: state[name] for name in ("accepted", "wrong", "failed")}
    session.keep("end", state["attempt"], {"pending": state["pending"]}, ended)
    return tuple(_result(session, state, number) for number in range(len(session.problems)))


@contextmanager
def _obsolete_wishes_told() -> Iterator[None]:
    """Two variables of former years make every graph fail; what its error advises is no help."""
    try:
        yield
    except RuntimeError as error:
        if "LangChainTracerV1" not in str(error):
            raise
        raise Malformed(
            "the environment asks for a tracing that no longer exists",
            where="LANGCHAIN_TRACING, LANGCHAIN_HANDLER",
            right="neither of them; nothing here is traced anyhow",
        ) from None


def _result(session: Session, state: State, number: int) -> Result:
    problem, score = session.problems[number], state["accepted"].get(str(number))
    if score is not None:
        row = row_of(problem, session.checks[number])
        cites = [hit["source_event"] for hit in state["context"]["knowledge"]]
        return Verified(row, score, tuple(dict.fromkeys(cites)))
    if state["failed"]:
        failed = state["failed"]
        return Rejected(problem.prompt, failed["reason"], (failed["why"],), transport=True)
    wrong = state["wrong"][str(number)]
    return Rejected(problem.prompt, wrong["reason"], tuple(wrong["issues"]))


def row_of(problem: Problem, found: Checked) -> dict[str, Any]:
    """A row of training data: no ids, no times."""
    assert found.trajectory is not None
    return {
        "prompt": problem.prompt,
        "completion": found.completion,
        "answer": problem.answer,
        "difficulty": problem.difficulty,
        "steps": [step._asdict() for step in found.trajectory.steps],
        "outcome": found.trajectory.outcome,
    }


async def _checked(
    session: Session, problem: Problem, number: int, came: Came[dict[int, PlannedTrajectory]]
) -> Checked:
    if came.failed:
        return Checked(None, reason=f"teacher_{came.failed}", issues=(came.why,))
    planned = (came.value or {}).get(number)
    if planned is None:
        return Checked(None, reason="left_out", issues=("the teacher left this problem out",))
    if (wrong := improper(problem, planned)) is not None:
        return wrong
    if getattr(session.plan.type, "costly", False):  # it takes a process: the others go on
        async with session.turn.waiting():
            return await asyncio.to_thread(checked, session.plan.type, problem, planned)
    return checked(session.plan.type, problem, planned)


def _failed(who: str, came: Came[Any]) -> dict[str, Any]:
    return {"reason": f"{who}_{came.failed}", "why": came.why}
