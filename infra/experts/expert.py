"""An expert of one model type: as a teacher its exact solver, as a verifier its exact checker, as a
writer somebody who is sometimes wrong.

It is no language model, and says so. It is only right about problems in the type's own language;
of others it declines to speak.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from agents.data_generator.collaboration.answers import PlannedTrajectory
from agents.data_generator.collaboration.checks import checked
from events.errors import Malformed
from infra.experts.reading import Asked, Proposed, Stated
from infra.experts.writing import written
from trainers.model_types.kind import ModelType, Problem, identity

Part = Literal["teacher", "verifier", "writer"]
PARTS: tuple[Part, ...] = ("teacher", "verifier", "writer")
SCORES = {"malformed": 0.0, "wrong": 0.0, "rewards": 0.5, "steps": 0.3}
"""By what is wrong with a solution; one that is right in every step gets 1."""
PLANNED = {"steps", "expected_outcome"}
CARD = {
    "teacher": "The exact solver of {type}: a program, not a language model. It knows only "
    "problems in that type's own language, and every answer of it is right.",
    "verifier": "The exact checker of {type}: a program, not a language model. It judges by "
    "computing the answer, and knows only problems in that type's own language.",
    "writer": "A writer of {type} who is sometimes wrong: a program, not a language model. The "
    "hotter it is asked, the more often. It knows only problems in that type's own language.",
}


class Reply(NamedTuple):
    """What an expert says, or why it says nothing."""

    text: str
    declines: str = ""


class Expert:
    """One type, in one of two parts."""

    def __init__(self, kind: ModelType, part: Part) -> None:
        self.kind, self.part = kind, part
        self.model = f"expert:{kind.name}:{part}"

    def card(self) -> dict[str, Any]:
        """What it is, for whoever asks which models there are."""
        return {
            "id": self.model,
            "object": "model",
            "created": 0,
            "owned_by": "ratchet",
            "description": CARD[self.part].format(type=self.kind.name),
        }

    async def answer(self, asked: Asked) -> Reply:
        """In the form that was asked for; a Malformed where it has no such form."""
        works = {"teacher": self._taught, "verifier": self._judged, "writer": self._wrote}
        work = works[self.part]
        if getattr(self.kind, "costly", False):  # it may take a process
            return await asyncio.to_thread(work, asked)
        return work(asked)

    def _taught(self, asked: Asked) -> Reply:
        solved: list[dict[str, Any]] = []
        declined = ""
        for one in asked.problems:
            try:
                solved.append({"problem": one.problem, **self._solution(one)})
            except ValueError as error:
                declined = f"this expert cannot solve that ({str(error)[:200]})"
        if "trajectories" in asked.fields:
            kept = [
                {name: text for name, text in one.items() if name != "completion"} for one in solved
            ]
            return Reply(_json({"trajectories": kept}))
        if not solved:
            return Reply("", declined or "there is no problem to solve")
        if not asked.fields:
            return Reply(str(solved[0]["completion"]))
        if asked.fields >= PLANNED:
            return Reply(_json({name: solved[0][name] for name in sorted(PLANNED)}))
        return Reply(_json(self._finished(asked, str(solved[0]["completion"]))))

    def _solution(self, one: Stated) -> dict[str, Any]:
        solved = self.kind.solve(problem_of(one))
        return {
            "steps": [step._asdict() for step in solved.steps],
            "expected_outcome": solved.outcome,
            "completion": self.kind.completion(solved),
        }

    def _finished(self, asked: Asked, completion: str) -> dict[str, Any]:
        """The answer as the type's own schema has it, where that is what was asked for."""
        known = set(self.kind.schema.model_fields)
        if not asked.fields <= known:
            right = f"steps and expected_outcome, or trajectories, or {', '.join(sorted(known))}"
            raise Malformed("this expert has no such answer", where="schema", right=right)
        value = self.kind.validate_output(completion, problem_of(asked.problems[0]))
        dumped = value.model_dump(mode="json")
        return {name: dumped[name] for name in sorted(asked.fields)}

    def _wrote(self, asked: Asked) -> Reply:
        """One answer to the first problem, in plain text."""
        if asked.fields:
            raise Malformed("a writer answers in plain text", where="response_format")
        if not asked.problems:
            return Reply("", "there is no problem to answer")
        try:
            problem = problem_of(asked.problems[0])
            return Reply(written(self.kind, problem, asked.temperature, asked.seed))
        except ValueError as error:
            return Reply("", f"this writer cannot answer that ({str(error)[:200]})")

    def _scored(self, asked: Asked) -> Reply:
        """What the checker gives each of several answers to the first problem."""
        try:
            problem = self._known(problem_of(asked.problems[0]))
        except (ValueError, IndexError) as error:
            return Reply("", f"this expert cannot judge that ({str(error)[:200]})")
        scores = [
            {"answer": one.answer, "score": self.kind.verify(problem, one.text).reward}
            for one in asked.answers or ()
        ]
        return Reply(_json({"scores": scores}))

    def _judged(self, asked: Asked) -> Reply:
        if asked.answers is not None and "scores" in asked.fields:
            return self._scored(asked)
        if asked.trajectories is None:
            right = "problems and trajectories, as the collaboration writes them"
            raise Malformed("there is no solution to judge", where="messages", right=right)
        problems = {one.problem: one for one in asked.problems}
        judged = [
            {"problem": one.problem, **self._judgement(problems.get(one.problem), one)}
            for one in asked.trajectories
        ]
        if "judgements" in asked.fields:
            return Reply(_json({"judgements": judged}))
        if not judged:
            return Reply("", "there is no solution to judge")
        return Reply(_json({name: judged[0][name] for name in ("score", "issues")}))

    def _judgement(self, one: Stated | None, solution: Proposed) -> dict[str, Any]:
        if one is None:
            return {"score": 0.0, "issues": ["nobody knows the problem of this solution"]}
        try:
            problem = self._known(problem_of(one))
            planned = PlannedTrajectory.model_validate(solution.model_dump())
        except ValidationError as error:
            return {"score": 0.0, "issues": [f"it is no solution: {error.error_count()} errors"]}
        except ValueError as error:
            return {"score": 0.0, "issues": [f"this expert cannot judge that ({error})"]}
        found = checked(self.kind, problem, planned)
        score = SCORES.get(found.reason, 0.0) if found.reason else found.reward
        return {"score": score, "issues": list(found.issues)}

    def _known(self, problem: Problem) -> Problem:
        """The problem with its answer; where none is given, the one that the solver finds."""
        if problem.answer is not None:
            return problem
        completion = self.kind.completion(self.kind.solve(problem))
        finished = self.kind.validate_output(completion, problem).model_dump(mode="json")
        row = self.kind.preprocess({**finished, "prompt": problem.prompt})
        return problem._replace(answer=row.get("answer"))


def experts_of(kinds: list[ModelType]) -> dict[str, Expert]:
    """Both parts of each type, by the name under which they are asked."""
    made = [Expert(kind, part) for kind in kinds for part in PARTS]
    return {one.model: one for one in made}


def problem_of(one: Stated) -> Problem:
    """A problem as its type knows it."""
    return Problem(identity(one.prompt), one.prompt, one.answer)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
