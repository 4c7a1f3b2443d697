"""The writer that is sometimes wrong, and the checker that scores several answers."""

from __future__ import annotations

from itertools import islice

import pytest

from agents.data_generator.collaboration.asking import ANSWERS, PROBLEMS, document
from agents.data_generator.pairing.judging import Scores
from guardrails.refusals import CallFailed
from infra.experts.writing import written
from tests.infra.experts.serving import serving
from trainers.model_types import TYPES, model_type

SUMS = "arithmetic_reasoning"
WRITER, VERIFIER = f"expert:{SUMS}:writer", f"expert:{SUMS}:verifier"


@pytest.mark.parametrize("name", [name for name in TYPES if name != "code_generation"])
def test_it_is_right_when_cold_and_wrong_when_hot_as_the_seed_has_it(name: str) -> None:
    kind = model_type(name)
    for problem in islice(kind.problems(5), 20):
        assert kind.verify(problem, written(kind, problem, 0.0, 1)).correct
        hot = [written(kind, problem, 2.0, seed) for seed in range(3)]
        assert hot == [written(kind, problem, 2.0, seed) for seed in range(3)]
        if name != "support_replies":  # a draft may be right
            assert not any(kind.verify(problem, text).correct for text in hot)


def test_programs_of_other_problems_are_written_without_end_of_looking() -> None:
    kind = model_type("code_generation")
    for problem in islice(kind.problems(5), 5):
        assert written(kind, problem, 2.0, 1) != kind.completion(kind.solve(problem))


async def test_it_writes_over_http_and_the_checker_scores_what_it_wrote() -> None:
    problems = document(PROBLEMS, [{"problem": 1, "prompt": "12+30#"}], "the request")
    async with serving(SUMS) as place:
        said = (await place.asked(WRITER, problems)).text
        assert said.endswith("=042;")
        shown = [{"answer": 1, "text": "=043;"}, {"answer": 2, "text": said}]
        told = "\n".join((problems, document(ANSWERS, shown, "the answers")))
        scores = (await place.asked(VERIFIER, told, Scores)).value
        assert scores == Scores.model_validate(
            {"scores": [{"answer": 1, "score": 0.0}, {"answer": 2, "score": 1.0}]}
        )
        with pytest.raises(CallFailed) as failed:
            await place.asked(WRITER, "how are you ?")
        assert failed.value.kind == "refused"
