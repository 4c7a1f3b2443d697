"""The mission's metrics agree with what is counted one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trainers.model_types.kinds import Known, halves, some
from trainers.model_types import model_type
from trainers.model_types.code_generation import CodeGeneration
from trainers.model_types.figures import macro_f1, mean
from trainers.model_types.kind import problem
from trainers.model_types.programs import neighbours, program_of

FEELING = model_type("sentiment_analysis")
MODERATING = model_type("content_moderation")
LABELS = ("negative", "neutral", "positive")
FLAGS = ("insult", "threat", "spam", "private")

label = st.sampled_from(LABELS)
flags = st.sets(st.sampled_from(FLAGS)).map(sorted)


def f1(pairs: list[tuple[str, str | None]]) -> float:
    """From precision and recall of every class that occurs."""
    scores = []
    for one in sorted({str(a) for a, _ in pairs} | {b for _, b in pairs if b}):
        hits = sum(a == b == one for a, b in pairs)
        said = sum(b == one for _, b in pairs)
        there = sum(a == one for a, _ in pairs)
        precision = hits / said if said else 0.0
        recall = hits / there if there else 0.0
        both = precision + recall
        scores.append(2 * precision * recall / both if both else 0.0)
    return sum(scores) / len(scores)


@given(st.lists(st.tuples(label, label | st.none()), min_size=1, max_size=40))
def test_accuracy_and_f1_of_sentiments(pairs: list[tuple[str, str | None]]) -> None:
    problems = [problem(f"a{n} =>", {"sentiment": one}, 0.5) for n, (one, _) in enumerate(pairs)]
    outputs = [f"<think>x</think>= {said} 0.5;" if said else "what?" for _, said in pairs]
    found = FEELING.metrics(problems, outputs)
    right = [float(one == said) for one, said in pairs]
    assert found["accuracy"].value == pytest.approx(sum(right) / len(right))
    assert found["accuracy"].per_item == tuple(right) == found["f1"].per_item
    assert found["f1"].value == pytest.approx(f1(pairs))


def word(flags: list[str] | None) -> str | None:
    return None if flags is None else "+".join(flags) or "clean"


@given(st.lists(st.tuples(flags, flags | st.none()), min_size=1, max_size=30))
def test_false_positives_and_detections(pairs: list[tuple[list[str], list[str] | None]]) -> None:
    problems = [
        problem(f"a{n}#", {"flags": sorted(one, key=FLAGS.index), "severity": "low"}, 0.5)
        for n, (one, _) in enumerate(pairs)
    ]
    outputs = [
        "what?" if said is None else f"<think>x</think>={','.join(said) or 'clean'} low;"
        for _, said in pairs
    ]
    found = MODERATING.metrics(problems, outputs)
    alarms = [float(said is None or said != []) for one, said in pairs if not one]
    detected = [float(one == said) for one, said in pairs]
    wanted = pytest.approx(sum(alarms) / len(alarms)) if alarms else None
    assert found["false_positive_rate"].value == wanted
    assert [one for one in found["false_positive_rate"].per_item if one is not None] == alarms
    assert found["detection_accuracy"].value == pytest.approx(sum(detected) / len(detected))
    names = [(word(one) or "", word(said)) for one, said in pairs]
    assert found["f1"].value == pytest.approx(f1(names))


def test_tests_and_syntax_of_programs() -> None:
    """Wrong programs are nearly right ones; what they answer is known without running them."""
    problems = some(CodeGeneration(), 60)
    programs = [neighbours(program_of(one.prompt))[n % 7] for n, one in enumerate(problems)]
    pairs = zip(
        (one.code() for one in programs), (one.answer["tests"] for one in problems), strict=True
    )
    kind = CodeGeneration(Known(pairs))
    outputs = [f"<think>x</think>={one.code()};" for one in programs]
    broken, silent = "<think>x</think>=def f(:;", "what?"
    found = kind.metrics([*problems, *problems[:2]], [*outputs, broken, silent])
    rates = []
    for one, program in zip(problems, programs, strict=True):
        tests = [halves(test) for test in one.answer["tests"]]
        rates.append(sum(program.result(given) == wanted for given, wanted in tests) / len(tests))
    assert min(rates) < 1
    assert len(set(rates)) > 3
    assert found["test_pass_rate"].per_item == pytest.approx((*rates, 0, 0))
    assert found["test_pass_rate"].value == pytest.approx(sum(rates) / 62)
    assert found["syntax_validity"].per_item == (*[1.0] * 60, 0.0, 0.0)
    assert found["accuracy"].per_item == (*[float(one == 1) for one in rates], 0.0, 0.0)


def test_a_mean_is_over_what_can_be_said() -> None:
    assert mean([1.0, None, 0.0, None]) == (0.5, (1.0, None, 0.0, None))
    assert mean([None]) == (None, (None,))
    assert mean([]) == (None, ())


def test_an_f1_by_hand() -> None:
    found = macro_f1(["a", "a", "b"], ["a", "b", "b"])
    assert found.value == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert macro_f1(["a", "b"], ["a", None]).value == pytest.approx(0.5)
    assert macro_f1(["a", "a"], ["a", "c"]).value == pytest.approx(1 / 3)
    assert macro_f1([], []).value is None
