"""Benchmarks from local files: one JSON object a line, in the shapes that people know.

    {"question": "...", "choices": ["...", ...], "answer": 2, "subject": "..."}   choices (as MMLU)
    {"question": "...", "answer": "... #### 42"}                          one number (as GSM8K)
    {"prompt": "...", "entry_point": "f", "test": "def check(candidate): ..."}  code (as HumanEval)

A `question` is put in words, its choices under letters. With `prompt` in its place the text is
taken as it is, and each choice as a continuation of it. A file is somebody's: it is read line by
line, bounded, and what is wrong with it is told with its line. Nothing of it runs here; what tests
of code ask is taken apart, so that the sandbox asks it and a judge outside decides.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from events.errors import Malformed, NotFound, Refused
from events.suggest import near
from trainers.harness.scoring import number
from trainers.sandbox.exam import exam

ITEMS = 20_000
"""Items of a task; more are refused, for each is answered by two models."""
LARGEST = 200_000
"""Characters of a line."""
TASKS = 1000
"""Tasks of a folder that are told to an owner elsewhere."""
LETTERS = "ABCDEFGHIJ"
RIGHT = "question, choices and answer; question and answer; or prompt, entry_point and test"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}")

Row = dict[str, Any]


def task_rows(folder: Path, name: str) -> list[Row]:
    """The items of a task, in the one form that jobs read."""
    file = folder / f"{name}.jsonl"
    if not _NAME.fullmatch(name) or not file.is_file():
        there = sorted(one.stem for one in folder.glob("*.jsonl")) if folder.is_dir() else []
        meant = near(name, there)
        right = f"did you mean {meant!r}?" if meant else f"one of: {', '.join(there) or 'none'}"
        raise NotFound(f"there is no task {name[:100]!r}", where=str(folder), right=right)
    rows: list[Row] = []
    with file.open("rb") as source:
        for number, line in enumerate(iter(lambda: source.readline(LARGEST + 1), b""), 1):
            where = f"{file}, line {number}"
            if len(line) > LARGEST or number > ITEMS:
                what = "the line is too long" if len(line) > LARGEST else "there are too many lines"
                raise Malformed(what, where=where, right=f"{LARGEST:,} bytes, {ITEMS:,} lines")
            if line.strip():
                rows.append(_row(line, where))
    if not rows:
        raise Malformed("there is nothing in it", where=str(file), right=RIGHT)
    return rows


def task_suites(folder: Path) -> list[str]:
    """The tasks that lie in a folder, as suites are named; of very many the first."""
    names = sorted(one.stem for one in folder.glob("*.jsonl") if _NAME.fullmatch(one.stem))
    return [f"task.{name}" for name in names[:TASKS]]


def _row(line: bytes, where: str) -> Row:
    try:
        given = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"the line is no JSON ({error})", where=where, right=RIGHT) from None
    if not isinstance(given, dict):
        raise Malformed("the line is no JSON object", where=where, right=RIGHT)
    try:
        if "test" in given:
            row = _code(given)
        elif "choices" in given:
            row = _choice(given)
        else:
            row = _exact(given)
    except Refused as error:
        raise Malformed(error.what, where=where, right=error.right or RIGHT) from None
    except (ValueError, TypeError, KeyError, IndexError) as error:
        said = f"there is no {error}" if isinstance(error, KeyError) else str(error)
        raise Malformed(f"it is no item: {said}", where=where, right=RIGHT) from None
    area = given.get("subject") or given.get("area")
    return row | ({"area": str(area)[:100]} if area else {})


def _choice(given: Mapping[str, Any]) -> Row:
    choices = [_text(one) for one in given["choices"]]
    if not 2 <= len(choices) <= len(LETTERS):
        raise ValueError(f"{len(choices)} choices, where 2 to {len(LETTERS)} are right")
    answer = given["answer"]
    place = LETTERS.index(answer) if isinstance(answer, str) and len(answer) == 1 else int(answer)
    if not 0 <= place < len(choices):
        raise ValueError(f"the answer {answer!r} is none of its choices")
    if "prompt" in given:
        return {"kind": "choice", "prompt": _text(given["prompt"]), "choices": choices,
                "answer": place}  # fmt: skip
    listed = "".join(f"\n{LETTERS[at]}. {one}" for at, one in enumerate(choices))
    letters = [f" {letter}" for letter in LETTERS[: len(choices)]]
    prompt = f"{_text(given['question'])}{listed}\nAnswer:"
    return {"kind": "choice", "prompt": prompt, "choices": letters, "answer": place}


def _exact(given: Mapping[str, Any]) -> Row:
    answer = number(str(given["answer"]))
    if answer is None:
        raise ValueError("its answer has no number in it")
    if "prompt" in given:
        return {"kind": "exact", "prompt": _text(given["prompt"]), "answer": answer}
    prompt = f"Question: {_text(given['question'])}\nAnswer:"
    return {"kind": "exact", "prompt": prompt, "answer": answer}


def _code(given: Mapping[str, Any]) -> Row:
    name = given["entry_point"]
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"{name!r} is no name of a function")
    tests = asserts(_text(given["test"]), name)
    return {"kind": "code", "prompt": _text(given["prompt"]), "entry_point": name, "answer": tests}


def asserts(test: str, name: str) -> list[str]:
    """What `check` asks of its candidate, one assert at a time, each with what stands before it.

    Of tests that are no plain list of statements nobody can say what they ask without running
    them beside the program, which could lie to them: such an item is refused.
    """
    try:
        body = ast.parse(test).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"its test is no Python ({error})") from None
    checks = [one for one in body if isinstance(one, ast.FunctionDef) and one.name == "check"]
    before = [one for one in body if isinstance(one, ast.Import | ast.ImportFrom)]
    if len(checks) != 1 or len(checks[0].args.args) != 1:
        raise ValueError("its test has no function check(candidate)")
    candidate, found = checks[0].args.args[0].arg, list[str]()
    for statement in checks[0].body:
        if isinstance(statement, ast.Assert):
            whole = [*before, ast.Assert(statement.test)]  # what it would say is of no interest
            text = "\n".join(ast.unparse(_Named(candidate, name).visit(one)) for one in whole)
            exam(text)
            found.append(text)
        elif not isinstance(statement, ast.Expr | ast.Pass):
            before.append(statement)  # type: ignore[arg-type]
    if not found:
        raise ValueError("its test has no assert")
    return found


class _Named(ast.NodeTransformer):
    """The candidate under the name that the program gives it."""

    def __init__(self, candidate: str, name: str) -> None:
        self._candidate, self._name = candidate, name

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if node.id != self._candidate:
            return node
        return ast.copy_location(ast.Name(self._name, node.ctx), node)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{str(value)[:40]!r} is no text")
    return value
