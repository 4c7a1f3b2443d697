"""Bases are made to a level, made once, and made again the same; their tokenizers lose nothing."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from tests.house.source import ROOT
from tests.trainers.sums import Problem, Sums
from trainers.engine import Engine
from trainers.failures import BadBase
from trainers.models import load, verify
from trainers.probe import accuracy
from trainers.tiny import base_at, make_tiny_base
from trainers.tokens import character_tokenizer, tokenizer_for, word_tokenizer

torch.set_num_threads(1)

SYMBOLS = "0123456789+=#;<>/\n thinkx"
CHARACTERS = character_tokenizer(SYMBOLS)
PIECES = character_tokenizer("adechi+3;, []", ["add", " add", "each", " each", "[i+", "[i"])
WORDS = ["ticket", ":", "refund", "<think>", "</think>", "sorry,"]


class Few(Sums):
    """Sums of which there are four, so that they are learned in a second."""

    name = "few"

    def problems(self, seed: int) -> Iterator[Problem]:
        draw = random.Random(seed)
        while True:
            two, one = draw.choice([(10, 1), (20, 3), (31, 4), (44, 9)])
            yield Problem(f"{two}+{one}", f"{two}+{one}#", two + one)


class Otherwise(Few):
    """The same, written in another way."""

    def completion(self, solved: Problem) -> str:
        return super().completion(solved).replace(";=", ";;=")


class Costly(Few):
    """Who verifies pays."""

    name = "costly"
    costly = True
    paid = 0

    def verify(self, problem: Problem, text: str) -> Any:
        self.paid += 1
        return super().verify(problem, text)


def weights(place: Path) -> bytes:
    return (place / "model.safetensors").read_bytes()


@pytest.mark.parametrize("level", [0.03, 0.35, 0.55])
def test_a_base_reaches_its_level_and_leaps_not_far_past_it(bases: Path, level: float) -> None:
    place = make_tiny_base(Sums(), seed=0, size="tiny", level=level, folder=bases)
    made = base_at(place)
    assert level <= made.reached <= level + 0.15
    verify(place)
    loaded = load(place)
    assert made.weights == loaded.model.num_parameters() < 110_000
    fresh = list(islice(Sums().problems(1234), 300))
    found = accuracy(Engine(*loaded), fresh, Sums().verify, max_new=24, seed=0, samples=1)
    assert abs(found.greedy - made.reached) < 0.15
    assert abs(found.sampled - made.sampled) < 0.15


def test_the_same_recipe_makes_the_same_weights(tmp_path: Path) -> None:
    once = make_tiny_base(Few(), seed=5, size="tiny", level=0.2, folder=tmp_path / "a")
    torch.manual_seed(99)
    before = torch.random.get_rng_state()
    again = make_tiny_base(Few(), seed=5, size="tiny", level=0.2, folder=tmp_path / "b")
    assert torch.equal(torch.random.get_rng_state(), before)
    assert weights(once) == weights(again)
    assert once.name == again.name
    other = make_tiny_base(Few(), seed=6, size="tiny", level=0.0, folder=tmp_path / "b")
    assert weights(other) != weights(again)
    assert other.name != again.name


def test_another_way_of_writing_is_another_recipe(tmp_path: Path) -> None:
    once = make_tiny_base(Few(), seed=5, size="tiny", level=0.0, folder=tmp_path)
    assert make_tiny_base(Otherwise(), seed=5, size="tiny", level=0.0, folder=tmp_path) != once


def test_where_verifying_is_costly_it_is_done_only_once_the_base_is_made(tmp_path: Path) -> None:
    kind = Costly()
    place = make_tiny_base(kind, seed=5, size="tiny", level=0.2, folder=tmp_path)
    assert base_at(place).reached >= 0.2
    assert 0 < kind.paid < 400, "200 answers, of which some are the expert's, and 200 samples"


MAKE = """
import sys
from pathlib import Path
from tests.trainers.test_tiny import Few
from trainers.tiny import make_tiny_base
print("ready", flush=True)
made = make_tiny_base(Few(), seed=7, size="tiny", level=0.2, folder=Path(sys.argv[1]))
print(made, made.stat().st_ino)
"""


def test_two_processes_that_want_the_same_base_make_one(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MAKE, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        mine = make_tiny_base(Few(), seed=7, size="tiny", level=0.2, folder=tmp_path)
        once = mine.stat().st_ino  # another one, if the other process put its own in its place
        assert other.stdout.read().strip() == f"{mine} {once}"
    assert other.returncode == 0
    verify(mine)
    assert [one.name for one in tmp_path.iterdir() if one.is_dir()] == [mine.name]


def test_a_level_that_is_out_of_reach_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(BadBase, match=r"the base of few reached .* after 10 steps"):
        make_tiny_base(Few(), seed=0, size="tiny", level=0.99, folder=tmp_path, steps=10)
    assert not [one for one in tmp_path.iterdir() if one.is_dir()]
    with pytest.raises(BadBase, match="no base was made here"):
        base_at(tmp_path)


@given(st.text(alphabet=SYMBOLS))
def test_characters_come_back_as_they_were(text: str) -> None:
    ids = CHARACTERS(text)["input_ids"]
    assert len(ids) <= len(text)
    assert CHARACTERS.decode(ids, skip_special_tokens=True) == text


@given(st.text(alphabet="add eachi+3; "))
def test_texts_with_pieces_come_back_as_they_were(text: str) -> None:
    ids = PIECES(text)["input_ids"]
    assert len(ids) <= len(text)
    assert PIECES.decode(ids, skip_special_tokens=True) == text


def test_the_longest_piece_that_fits_is_one_token() -> None:
    words = PIECES.convert_ids_to_tokens(PIECES("add 3 each, add[i+3]")["input_ids"])
    assert words == ["add", " ", "3", " each", ",", " add", "[i+", "3", "]"]


def test_a_character_that_is_not_known_is_one_unknown() -> None:
    assert CHARACTERS("1é2")["input_ids"] == [
        CHARACTERS.convert_tokens_to_ids("1"),
        CHARACTERS.unk_token_id,
        CHARACTERS.convert_tokens_to_ids("2"),
    ]


def test_thinking_is_text_like_any_other(tmp_path: Path) -> None:
    for tokenizer in (CHARACTERS, tokenizer_for(WORDS)):
        tokenizer.save_pretrained(tmp_path)
        again = AutoTokenizer.from_pretrained(tmp_path)
        ids = again("<think> 1 </think>")["input_ids"]
        assert "<think>" in again.decode(ids, skip_special_tokens=True)
        assert again.convert_ids_to_tokens(ids)[0] == "<think>"
        assert again.all_special_tokens == tokenizer.all_special_tokens
        assert set(again.all_special_tokens) == {"<pad>", "<eos>", "<unk>"}
        assert len(again) == len(tokenizer)
        assert again.eos_token_id is not None
        assert again.pad_token_id not in (None, again.eos_token_id)


def test_words_come_back_with_one_blank_between_them() -> None:
    tokenizer = word_tokenizer(WORDS)
    ids = tokenizer("ticket  :  refund sorry, what")["input_ids"]
    assert tokenizer.decode(ids) == "ticket : refund sorry, <unk>"
    with pytest.raises(ValueError, match="'two words'"):
        word_tokenizer(["two words"])
