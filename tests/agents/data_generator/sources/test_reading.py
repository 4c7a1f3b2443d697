"""Rows in JSON, JSON lines, CSV and tables; whatever else comes is told, or is no row."""

from __future__ import annotations

import json

import pytest

from agents.data_generator.sources.reading import following, rows_of, tables
from agents.data_generator.sources.source import SourceFailed
from tests.agents.data_generator.sources.orders import page

URL = "https://example.org/a"
ROWS = [{"text": "a", "sentiment": "positive"}, {"text": "b", "sentiment": "neutral"}]
TABLE = """
<p>before <table><tr><th>text<th>sentiment</tr>
<tr><td>a &amp; b<td>positive</tr><tr><td colspan=2>all</tr>
<tr><td><b>c</b>  d</td><td>neutral</td></tr></table>
<a rel="nofollow license" href="https://creativecommons.org/licenses/by/4.0/">terms</a>
"""


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (json.dumps(ROWS), "json"),
        (json.dumps({"rows": ROWS}), "json"),
        (
            '{"text": "a", "sentiment": "positive"}\n\n{"text": "b", "sentiment": "neutral"}\n',
            "x-ndjson",
        ),
        ("text,sentiment\na,positive\nb,neutral\n", "csv"),
    ],
)
def test_rows_are_found_in_every_form(body: str, kind: str) -> None:
    assert list(rows_of(page(URL, body, f"application/{kind}"))) == ROWS


def test_a_table_of_a_page_has_rows_and_a_licence() -> None:
    found = list(rows_of(page(URL, TABLE, "text/html")))
    assert found == [
        {"text": "a & b", "sentiment": "positive"}, {"text": "c d", "sentiment": "neutral"},
    ]  # fmt: skip
    assert tables(TABLE).licence == "https://creativecommons.org/licenses/by/4.0/"


@pytest.mark.parametrize("end", ["\u2028", "\x85", "\x0b", "\x1c"])
def test_what_ends_a_line_elsewhere_may_stand_in_a_text(end: str) -> None:
    rows = [{"text": f"a{end}b"}, {"text": "c"}]
    body = "".join(json.dumps(one, ensure_ascii=end < " ") + "\n" for one in rows)
    assert list(rows_of(page(URL, body, "application/jsonl"))) == rows


def test_what_is_broken_is_no_row() -> None:
    lines = '{"text": "a"}\n{"text": \n' + "[" * 100_000 + "\n"
    assert list(rows_of(page(URL, lines, "application/jsonl"))) == [{"text": "a"}, None, None]
    short = list(rows_of(page(URL, "text,sentiment\na\nb,c,d\n", "text/csv")))
    assert short == [None, None]


@pytest.mark.parametrize(
    ("body", "kind"), [("hello", "text/plain"), ('"a"', "application/json"), ("7", "a/json")]
)
def test_what_has_no_rows_is_told(body: str, kind: str) -> None:
    with pytest.raises(SourceFailed, match="rows"):
        list(rows_of(page(URL, body, kind)))


def test_the_next_page_is_named_by_the_answer_or_not_at_all() -> None:
    assert following(page(URL, '{"rows": [], "next": "/b"}')) == "/b"
    for body in ("[]", "{}", '{"next": 5}', "broken"):
        assert following(page(URL, body)) == ""
