"""Tests of a program are judged outside of it, so that it passes only by doing its task."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trainers.sandbox.forging import FORGING, TEST
from trainers.sandbox.answers import Answer, read
from trainers.sandbox.asker import NotPlain, answers_of, written
from trainers.sandbox.checking import Checked
from trainers.sandbox.exam import Unjudgeable, exam, trouble
from trainers.sandbox.sandbox import sandbox

NEEDS_WALLS = pytest.mark.usefixtures("walls_hold")

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)


def passed(test: str, program: str) -> bool:
    """Whether it passes, with question and answer in this process."""
    taken = exam(test)
    space: dict[str, Any] = {}
    exec(program, space)
    line = f"[0,[{answers_of(list(taken.steps), space)}]]\n"
    return trouble(taken, read(line.encode())[0]) == ""


@NEEDS_WALLS
def test_each_test_has_a_result_of_its_own() -> None:
    program = "def add(a, b):\n    return a + b if a < 5 else 0"
    found = sandbox().check(program, ["assert add(1, 2) == 3", "assert add(5, 2) == 7"])
    assert found == (Checked(True), Checked(False, "the answer was 0"))


@pytest.mark.parametrize("name", FORGING)
@NEEDS_WALLS
def test_a_forged_result_is_worth_nothing(name: str) -> None:
    (found,) = sandbox().check(FORGING[name], [TEST], seconds=0.3)
    assert not found.passed, found
    assert found.reason


@NEEDS_WALLS
def test_the_honest_program_passes_where_the_forged_fail() -> None:
    assert sandbox().check("def square(n): return n * n", [TEST]) == (Checked(True),)


def test_what_is_expected_never_goes_inside() -> None:
    steps = repr(exam(TEST).steps)
    assert "square(123456789)" in steps
    assert "15241578750190521" not in steps


@NEEDS_WALLS
def test_a_test_that_ends_the_process_does_not_take_the_others_with_it() -> None:
    program = """
import ctypes, os
def f(n):
    if n == 1:
        os._exit(0)
    if n == 2:
        ctypes.string_at(0)
    return n
"""
    found = sandbox().check(program, [f"assert f({n}) == {n}" for n in range(5)])
    assert [one.passed for one in found] == [True, False, False, True, True]
    assert found[1].reason == "the program ended itself, with 0"
    assert found[2].reason == "killed"


@NEEDS_WALLS
def test_a_test_that_hangs_uses_up_the_time_of_those_after_it() -> None:
    program = "def f(n):\n    while n == 1: pass\n    return n"
    found = sandbox().check(program, [f"assert f({n}) == {n}" for n in range(3)], seconds=0.4)
    assert [one.reason for one in found] == ["", "timeout", "timeout"]


@NEEDS_WALLS
def test_a_program_that_does_not_load_fails_every_test_with_its_error() -> None:
    found = sandbox().check("def f(:", ["assert f(1) == 1", "assert f(2) == 2"])
    assert all("SyntaxError" in one.reason for one in found)
    (found_alone,) = sandbox().check("raise SystemExit(0)", ["assert f(1) == 1"])
    assert found_alone.reason == "SystemExit: 0"


@NEEDS_WALLS
def test_a_program_may_print_and_have_a_main_of_its_own() -> None:
    program = """
from dataclasses import dataclass
@dataclass
class Point:
    x: int
print("hello")
def f(n):
    print("called")
    return Point(n)
if __name__ == "__main__":
    print(input())
"""
    assert sandbox().check(program, ["assert f(3).x == 3"]) == (Checked(True),)


@NEEDS_WALLS
def test_one_test_does_not_see_the_names_of_another() -> None:
    tests = ["k = 5\nassert f(k) == 5", "assert f(k) == 5"]
    assert [one.passed for one in sandbox().check("def f(n): return n", tests)] == [True, False]


@NEEDS_WALLS
def test_a_text_that_is_no_program_fails_its_tests() -> None:
    assert not sandbox().check("x = '\ud800'", ["assert x == 1"])[0].passed


SORTED = (
    "def f(x): return sorted(x)\ndef g(x): return x\nclass S:\n    def top(self): return (1, 'a')"
)


@pytest.mark.parametrize(
    "test",
    [
        "assert f([3, 1]) == [1, 3]",
        "assert [1, 3] == f([3, 1])",
        "assert f('ba') == list('ab')",
        "assert f([3, 1])[0] == 1",
        "assert len(f([1, 2, 3])) == 3 and f([1])",
        "assert f([1, 2]) == sorted([2, 1])",
        "assert f([2, 1]) == [n for n in range(1, 3)]",
        "assert [g(n) for n in range(3)] == [0, 1, 2]",
        "assert abs(g(0.1) + g(0.2) - 0.3) < 1e-9",
        "assert math.isclose(g(0.1) * 3, 0.3)",
        "assert g(7) % 2 == 1 and g(3) ** 2 == 9",
        "assert -g(3) == -3",
        "assert 0 < g(5) <= 5",
        "assert not g(0)",
        "assert g(None) is None",
        "assert g(3) in (1, 2, 3)",
        "assert isinstance(g(1.5), float)",
        "assert type(g([])) == list",
        "assert sorted(g({'b': 1, 'a': 2})) == ['a', 'b']",
        "assert list(reversed(g([1, 2]))) == [2, 1]",
        "assert max(g([1, 5]), key=lambda n: -n) == 1",
        "assert round(g(2.345), 1) == 2.3",
        "assert S().top() == (1, 'a')",
        "s = S()\ns.seen = {1, 2}\nassert s.top()[1] == 'a'\nassert s.seen == {2, 1}",
        "assert {'k': g(1)} == {'k': 1}",
        "assert (g(0) or [5]) == [5]",
        "assert g(lambda n: n > 1)(2) == True",
        "assert ','.join(g(['a', 'b'])) == 'a,b'",
        "assert g('a') + 'b' == 'ab'",
        "assert all([g(1) == 1, g(2) == 2])",
        "assert [*g([1, 2])] == [1, 2]",
    ],
)
def test_the_usual_forms_of_a_test_are_understood(test: str) -> None:
    assert passed(test, SORTED)
    assert not passed(test, "def f(x): return 'no'\ng = f\nclass S: pass")


@pytest.mark.parametrize(
    ("test", "why"),
    [
        ("assert f(1) == f(2)", "two answers"),
        ("k = 2\nassert f(1) == k", "two answers"),
        ("assert sorted([2, 1]) == [1, 2]", "nothing of the program"),
        ("assert all(f(n) == n for n in range(3))", "GeneratorExp"),
        ("assert f(f(1) == 1)", "only the program sees"),
        ("assert [f(n) == n for n in range(3)] == [True] * 3", "only the program sees"),
        ("assert f({1}) | {2} == {1, 2}", "BinOp"),
        ("assert max([1], default=f(1)) == 1", "to a judge"),
        ("for n in range(3):\n    assert f(n) == n", "inside another"),
        ("f(1)", "without an assert"),
        ("assert f(1", "no Python"),
    ],
)
@NEEDS_WALLS
def test_a_test_that_could_be_passed_by_lying_is_refused(test: str, why: str) -> None:
    with pytest.raises(Unjudgeable) as refused:
        sandbox().check("def f(n): return n", [test])
    assert why in refused.value.what


@given(plain)
def test_plain_data_comes_back_as_it_was(value: Any) -> None:
    (answer,) = read(f'[7,[["value",{written(value)}]]]\n'.encode())[7]
    assert repr(answer.value) == repr(value)


@given(st.sets(st.integers() | st.text() | st.tuples(st.booleans())))
def test_sets_come_back_as_they_were(value: set[Any]) -> None:
    for one in (value, frozenset(value)):
        (answer,) = read(f'[7,[["value",{written(one)}]]]\n'.encode())[7]
        assert answer.value == one
        assert type(answer.value) is type(one)


LIES = st.lists(
    st.tuples(
        st.sampled_from([-1, 0, 1]),
        st.lists(
            st.tuples(
                st.sampled_from(["value", "raised", "not plain", ""]),
                st.sampled_from(["", None, True, 0, 1, "00", ["list"], ["str", ""], ["set", 1]]),
            ),
            max_size=3,
        ),
    ),
    max_size=5,
)


@given(LIES)
def test_no_answer_but_the_right_one_passes(lies: list[Any]) -> None:
    said = b"".join(json.dumps(line).encode() + b"\n" for line in lies)
    for answers in read(said).values():
        assert trouble(exam(TEST), answers) != ""


@given(st.binary(max_size=200) | st.text(alphabet='[]{}",:0123456789-truefalsnN\n').map(str.encode))
def test_whatever_is_sent_is_read_without_harm(said: bytes) -> None:
    assert isinstance(read(said), dict)
    assert isinstance(read(b'[0,[["value",' + said + b"]]]\n"), dict)


@pytest.mark.parametrize(
    "bomb",
    [
        b"[" * 60000 + b"\n",
        b'[0,[["value",' + b'["list",' * 20000 + b"]" * 20003 + b"\n",
        b'[0,[["value",' + b"9" * 60000 + b"]]]\n",
        b'[0,[["value",["complex",1,2,3]]]]\n',
        b'[0,[["value",["str","zz"]]]]\n',
        b'[0,[["value",["complex",1' + b"0" * 400 + b"]]]]\n",
        b'[0,[["value",["set",["list"]]]]]\n',
        b'[0,[["value",["dict",1]]]]\n',
        b'[0,[["value",{}]]]\n[true,[]]\n',
        b'[0,[["value"]]]\n',
        b"[0,[1]]\n",
        b"[0,1]\n",
    ],
)
def test_an_answer_that_cannot_be_read_is_no_answer(bomb: bytes) -> None:
    assert read(bomb) == {}
    assert trouble(exam(TEST), read(bomb).get(0, [])) == "it was not answered"


def test_the_first_answer_counts() -> None:
    assert read(b'[0,[["value",1]]]\n[0,[["value",2]]]\n') == {0: [Answer(1)]}


@pytest.mark.parametrize("value", [object(), range(3), iter([]), int, math])
def test_what_is_no_data_is_not_sent(value: object) -> None:
    with pytest.raises(NotPlain):
        written(value)


@pytest.mark.parametrize(
    ("test", "answer"),
    [
        ("assert g(1) * 10**9 == 1", "x" * 60000),
        ("assert g(1) ** 3 == 1", "x"),
        ("assert 2 ** g(1) == 1", 10**4000),
        ("assert g(1) % 3 == 1", "%9999999999d"),
        ("assert sorted(g(1)) == [1]", [1, "a", None]),
        ("assert float(g(1)) == 1", 10**4000),
        ("assert {g(1)} == {1}", [1]),
        ("assert g(1) < 3", "a"),
    ],
)
def test_an_answer_that_makes_no_sense_fails_soon(test: str, answer: Any) -> None:
    assert trouble(exam(test), [Answer(answer)]) != ""
