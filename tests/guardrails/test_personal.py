"""Personal data is found by its format, and what only looks like it is left alone."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.personal import findings, redacted
from tests.guardrails.people import MAKERS, people, twins

HOSTILE = {
    "digits": "1",
    "digits apart": "1 ",
    "pluses": "+1",
    "at signs": "a@",
    "dots": "1.",
    "colons": "a:",
    "cards that are none": "4111 1111 1111 1112 ",
    "zeros": "0 ",
    "phones": "+49 30 901820 ",
    "accounts that are none": "DE89 3704 ",
}


def test_99_of_100_are_found_whole_and_told_by_their_kind() -> None:
    found, missed = Counter[str](), []
    for case in people(seed=7, of_each=120):
        at = case.text.index(case.value)
        hit = any(
            one.kind == case.kind and one.start <= at and one.end >= at + len(case.value)
            for one in findings(case.text)
        )
        found[case.kind] += hit
        missed += [] if hit else [case]
    assert all(found[kind] >= 0.99 * 120 for kind in MAKERS), missed[:5]


def test_of_what_only_looks_so_no_more_than_1_in_100_is_flagged() -> None:
    flagged = [case.text for case in twins(seed=8, count=1500) if findings(case.text)]
    assert len(flagged) <= 15, flagged[:5]


def test_masks_stand_in_the_place_of_what_was_found() -> None:
    text, found = redacted(
        "Jörg 😀 (joerg@bücher.de) pays with 4111 1111 1111 1111 12/26, call +49 30 901820!"
    )
    assert text == "Jörg 😀 ([EMAIL]) pays with [CARD] 12/26, call [PHONE]!"
    assert [one.kind for one in found] == ["EMAIL", "CARD", "PHONE"]


def test_what_was_found_is_told_by_a_keyed_hash_and_never_by_its_value() -> None:
    text = "ann@example.org wrote to ann@example.org"
    first, second = findings(text, b"pepper")
    assert first.digest == second.digest != ""
    assert findings(text, b"salt")[0].digest != first.digest
    assert findings(text)[0].digest == ""
    assert "ann" not in repr(redacted(text, b"pepper"))


def test_what_has_no_format_is_not_found() -> None:
    for told in (
        "ann at example dot org",
        "Ann Smith, 12 High Street, Springfield",
        "four one one one, one one one one",
        "she was born in May, in Dr\u00f6bak",
        "030 901820",  # no word says that it is a phone
    ):
        assert findings(told) == []


PIECES = ["ann@x.de", "+49 30 901820", " ", "é", "\ud800", "4111111111111111", "😀", "[EMAIL]"]


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_places_are_true_in_any_text_and_masks_stand_there(text: str) -> None:
    masked, found = redacted(text)
    at = 0
    for one in found:
        assert at <= one.start < one.end <= len(text)
        at = one.end
    kept, rest = "", 0
    for one in found:
        kept, rest = f"{kept}{text[rest : one.start]}[{one.kind}]", one.end
    assert masked == kept + text[rest:]


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
def test_time_grows_with_length_and_no_faster(unit: str) -> None:
    def took(length: int) -> float:
        text = (unit * length)[:length]
        times = []
        for _ in range(2):
            began = time.thread_time()
            findings(text)
            times.append(time.thread_time() - began)
        return min(times)

    took(1000)
    assert took(40_000) < 24 * max(took(5_000), 0.002), "8 times the length; a square would be 64"
