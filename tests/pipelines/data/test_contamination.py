"""Evaluation items in training data: every verbatim one, reworded ones, and no false alarms."""

from __future__ import annotations

import random
import tracemalloc
from functools import cache

import pytest

from pipelines.data.contamination import Guarded, guarded_texts
from pipelines.data.language import language_of
from tests.pipelines.data.prose import (
    ASKED,
    REWORDED,
    SAID_OTHERWISE,
    asked,
    sentence,
    texts,
)
from tests.pipelines.data.solved import KINDS, examination, some

LUCK = random.Random("contamination")
ITEMS = texts(11, 1_000)


@cache
def prose() -> Guarded:
    return Guarded(ITEMS)


def test_one_percent_of_verbatim_items_is_found_to_the_last() -> None:
    planted = [*texts(12, 990, 60), *ITEMS[:10]]
    found = prose().leaks(planted)
    assert not any(found[:990])
    assert [hit and (hit.item, hit.how) for hit in found[990:]] == [
        (n, "verbatim") for n in range(10)
    ]


@pytest.mark.parametrize("how", REWORDED)
def test_items_that_a_template_rewords_are_found(how: str) -> None:
    hits = [prose().leak(REWORDED[how](item, LUCK)) for item in ITEMS[:400]]
    right = sum(hit is not None and hit.item == number for number, hit in enumerate(hits))
    assert right >= 0.95 * 400


def test_facts_that_another_template_tells_are_found_and_other_facts_are_not() -> None:
    facts = list(asked(1, 400))
    guarded = Guarded([ASKED.format(**one) for one in facts])
    again = guarded.leaks(SAID_OTHERWISE.format(**one) for one in facts)
    assert sum(hit is not None for hit in again) >= 0.95 * 400
    others = [form.format(**one) for one in asked(2, 400) for form in (ASKED, SAID_OTHERWISE)]
    assert sum(hit is not None for hit in guarded.leaks(others)) <= 0.01 * 800


def test_the_same_template_with_other_numbers_is_another_problem() -> None:
    facts = list(asked(3, 300))
    guarded = Guarded([ASKED.format(**one) for one in facts])
    luck = random.Random("numbers")
    others = [one | {part: luck.randint(1_000, 9_999) for part in "nmp"} for one in facts]
    assert not any(guarded.leaks(ASKED.format(**one) for one in others))
    assert not any(guarded.leaks(SAID_OTHERWISE.format(**one) for one in others))


def test_numbers_that_are_only_written_otherwise_hide_nothing() -> None:
    item = (
        "A harbour town of 12,500 people near the northern border grows by 1,300 settlers within"
        " the year and loses 2,050 to the cities: how many inhabitants does the register list then?"
    )
    guarded = Guarded([item, *texts(19, 50)])
    assert guarded.leak(item.replace(",", "").replace("how many", "so many")) is not None
    spelt = item.replace("1,300", "thirteen hundred").replace("2,050", "about two thousand")
    assert guarded.leak(spelt) is not None


def test_prose_that_was_written_apart_raises_no_alarm() -> None:
    alarms = sum(hit is not None for hit in prose().leaks(texts(13, 1_500)))
    assert alarms <= 0.001 * 1_500


def test_an_item_within_a_long_text_is_found() -> None:
    around = texts(14, 2, 1_500)
    hit = prose().leak(f"{around[0]} {ITEMS[7]} {around[1]}")
    assert hit is not None
    assert hit.item == 7


def test_a_part_of_an_item_is_a_leak_where_it_is_most_of_it_and_none_where_it_is_a_phrase() -> None:
    read = ITEMS[3].split()
    (other,) = texts(15, 1)
    assert prose().leak(f"{other} {' '.join(read[:40])}") is not None
    assert prose().leak(f"{other} {' '.join(read[:9])}") is None


def test_what_all_items_begin_with_is_no_leak() -> None:
    preamble = "Read the following passage with care and answer the question in one word only:"
    items = [f"{preamble} {text}" for text in texts(16, 60, 30)]
    guarded = Guarded(items)
    assert guarded.leak(f"{preamble} {texts(17, 1, 30)[0]}") is None
    assert guarded.leak(items[5]) is not None


def test_short_items_are_matched_whole() -> None:
    guarded = Guarded(["name the highest mountain", "yes", "who wrote it"])
    assert guarded.leak("Please name the highest mountain of Peru!") is not None
    assert guarded.leak("name the highest of mountains") is None
    assert guarded.leak("yes it was raining, who wrote it nobody knows") is None
    hit = guarded.leak("Yes")
    assert hit is not None
    assert hit.item == 1


def test_signs_that_nobody_sees_and_other_forms_of_letters_hide_nothing() -> None:
    item = "the quick brown fox jumps over the lazy dog near the river"
    guarded = Guarded([item, *texts(18, 50)])
    assert guarded.leak(item.replace("o", "o\u200b")) is not None
    assert (
        guarded.leak("".join(chr(ord(one) + 0xFEE0) if "a" <= one <= "z" else one for one in item))
        is not None
    )


def test_texts_without_blanks_between_words_are_read_sign_by_sign() -> None:
    item = "北京是中华人民共和国的首都也是全国的政治中心"
    guarded = Guarded([item])
    assert guarded.leak(f"请问{item}吗") is not None
    assert guarded.leak("上海是一个很大的城市有很多人住在那里") is None


@pytest.mark.parametrize("name", KINDS)
def test_problems_for_training_are_no_leak_of_their_types_examination(name: str) -> None:
    kind = KINDS[name]
    guarded = Guarded([one.prompt for one in examination(name)], language_of(kind))
    assert not any(guarded.leaks(one.prompt for one in some(name, 300, 4)))


@pytest.mark.parametrize("name", KINDS)
def test_the_examination_of_a_type_is_found_verbatim_and_with_words_around_it(name: str) -> None:
    kind = KINDS[name]
    prompts = [one.prompt for one in examination(name)]
    guarded = Guarded(prompts, language_of(kind))
    assert [hit and hit.item for hit in guarded.leaks(prompts)] == list(range(100))
    for words in ("Could you answer this: {}", "{} -- thanks!", "Quiz: ({})"):
        found = guarded.leaks(words.format(one) for one in prompts)
        assert sum(hit is not None for hit in found) >= 0.95 * 100, words
    spaced = guarded.leaks(f"  {one.upper()}  " for one in prompts)
    assert all(spaced)


def test_prose_items_are_looked_for_in_the_data_of_a_closed_language_too() -> None:
    guarded = Guarded(ITEMS[:50], language_of(KINDS["arithmetic_reasoning"]))
    assert guarded.leak(f"Solve this. {ITEMS[2]}") is not None
    assert guarded.leak("347+585#") is None


def test_an_embedder_finds_by_meaning_what_no_word_tells() -> None:
    asked_for: list[list[str]] = []

    def nearest(clean: object) -> list[tuple[int, float] | None]:
        asked_for.append(list(clean))  # type: ignore[call-overload]
        return [(4, 0.95), (5, 0.4), None]

    found = prose().leaks([ITEMS[1], "one", "two", "three"], nearest)
    assert asked_for == [["one", "two", "three"]]
    assert [hit and (hit.item, hit.how) for hit in found] == [
        (1, "verbatim"), (4, "meaning"), None, None,
    ]  # fmt: skip


def test_long_answers_are_guarded_and_short_ones_are_not() -> None:
    answer = sentence(ITEMS[0].split()[:12])
    rows = [{"prompt": "p", "answer": answer}, {"prompt": "q", "answer": "yes"}]
    assert guarded_texts(rows) == ["p", answer, "q"]


def test_memory_does_not_grow_with_the_data_that_is_searched() -> None:
    guarded, data = prose(), texts(19, 200)
    guarded.leaks(data)
    tracemalloc.start()
    try:
        for _ in range(5):
            assert not any(map(guarded.suspected, data))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 200_000
