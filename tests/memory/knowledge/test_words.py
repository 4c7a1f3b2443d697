"""Words, their weights, and vectors made of letters."""

from __future__ import annotations

from typing import Any

import pytest

from memory.embedding import EmbedderAway, EndpointEmbedder, cosine
from memory.lexical import DIM, LexicalEmbedder, lexical
from memory.sparse import of_passage, of_query
from memory.words import words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Refunds are approved", "refund approving"),
        ("boxes of cities", "BOX city"),
        ("the printer stopped", "Stopping a printer"),
        ("studied", "study"),
        ("his studies", "his studying"),
        ("tried and cried", "tries, cry"),
        ("applied twice", "applies twice"),
        ("movies and cookies", "a movie, a cookie"),
        ("tied", "ties"),
        ("lies", "lie"),
        ("two copies", "copied two, copy two"),
        ("days played", "day, play"),
        ("Straße", "STRASSE"),
        ("ﬁne", "fine"),
        ("naïve Übung", "NAÏVE übung"),
    ],
)
def test_the_same_words_are_found_however_they_are_written(one: str, other: str) -> None:
    assert set(words(one)) == set(words(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [("red", "reed"), ("studio", "study"), ("tied", "tidy"), ("bus", "bu"), ("died", "day")],
)
def test_other_words_stay_other_words(one: str, other: str) -> None:
    assert words(one) != words(other)


def test_words_of_any_script_are_words() -> None:
    assert words("заказ оплачен, 注文 42") == ["заказ", "оплачен", "注文", "42"]


def test_what_says_nothing_weighs_nothing() -> None:
    assert of_query("how is it that we are the") == ([], [])
    assert of_passage("") == ([], [])


def test_a_word_that_is_said_more_often_weighs_more_but_not_twice_as_much() -> None:
    once, twice = of_passage("refund other words here"), of_passage("refund refund other words")
    weight = dict(zip(twice.indices, twice.values, strict=True))[of_query("refund").indices[0]]
    before = dict(zip(once.indices, once.values, strict=True))[of_query("refund").indices[0]]
    assert before < weight < 2 * before


def test_a_word_in_a_long_text_weighs_less() -> None:
    place = of_query("refund").indices[0]
    short = of_passage("refund now")
    long = of_passage("refund " + " ".join(f"w{n}" for n in range(200)))
    assert (
        dict(zip(short.indices, short.values, strict=True))[place]
        > dict(zip(long.indices, long.values, strict=True))[place]
    )


def test_texts_with_more_letters_in_common_are_nearer() -> None:
    asked = lexical("refund of an invoice")
    near, far = lexical("invoices and refunds"), lexical("the weather of tomorrow")
    assert cosine(asked, near) > cosine(asked, far) + 0.3
    assert cosine(asked, lexical("refund of an invoice")) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("text", ["", " ", "the", "?!", "\0", "\ud800"])
def test_every_text_has_a_vector(text: str) -> None:
    assert len(lexical(text)) == DIM


async def test_many_texts_are_embedded_as_one_by_one() -> None:
    texts = [f"text number {number}" for number in range(200)]
    assert await LexicalEmbedder().embed(texts, "passage") == [lexical(text) for text in texts]


@pytest.mark.parametrize(
    ("answers", "wrong"),
    [
        ([[1.0, 0.0]], "1 vectors for 2 texts"),
        ([[1.0, 0.0], [1.0]], "a vector of 1 numbers, 2 before"),
        ([[1.0, 0.0], []], "a vector of 0 numbers"),
        ([[0.0, 0.0], [1.0, 0.0]], "without a direction"),
        ([[float("nan"), 0.0], [1.0, 0.0]], "without a direction"),
        ([[float("inf"), 0.0], [1.0, 0.0]], "without a direction"),
        ([[1e308, 1e308], [1.0, 0.0]], "without a direction"),
        ([["1", 0.0], [1.0, 0.0]], "without a direction"),
        ([[True, False], [1.0, 0.0]], "without a direction"),
        ([[10**400, 0], [1.0, 0.0]], "without a direction"),
        ([None, [1.0]], "a vector of 0 numbers"),
        (None, "no vectors for 2 texts"),
        ("ab", "no vectors for 2 texts"),
    ],
)
async def test_what_an_endpoint_answers_is_checked(answers: Any, wrong: str) -> None:
    async def ask(_texts: object) -> Any:
        return answers

    with pytest.raises(EmbedderAway, match=wrong):
        await EndpointEmbedder("remote", ask).embed(["a", "b"], "passage")


async def test_an_endpoint_is_asked_in_batches_and_its_vectors_have_length_one() -> None:
    calls: list[int] = []

    async def ask(texts: object) -> list[list[float]]:
        assert isinstance(texts, list)
        calls.append(len(texts))
        return [[3.0, 4.0] for _ in texts]

    embedder = EndpointEmbedder("remote", ask, batch=2)
    made = await embedder.embed(["a", "b", "c"], "passage")
    assert calls == [2, 1]
    assert embedder.dim == 2
    assert all(one == pytest.approx([0.6, 0.8]) for one in made)
