"""One job in its folder: it tells what is wrong, stops in good order, and goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from events.catalog.jobs import Recipe, Resources
from tests.trainers.jobs import laid, metrics, model, ran, ref, spec
from trainers.failures import BadBase
from trainers.folder import hashes
from trainers.job import ready


def outcome(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "outcome.json").read_text())
    return found


def test_a_job_leaves_all_that_is_to_be_known_of_it_in_its_folder(tmp_path: Path) -> None:
    code, said = ran(laid(tmp_path / "a", spec()))
    assert (code, said[:9]) == (0, "completed")
    folder = tmp_path / "a"
    assert [line["step"] for line in metrics(folder)] == list(range(1, 21))
    assert all({"step", "seconds", "loss", "slope"} <= set(line) for line in metrics(folder))
    found = outcome(folder)
    assert (found["status"], found["failure"], found["steps"]) == ("completed", "", 20)
    assert (folder / found["per_item"]).read_text().count("\n") == 21
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["files"]["model/line.json"] == hashes(folder / "model")["line.json"]
    assert manifest["facts"]["batch"] == 4
    assert (folder / "heartbeat").exists()
    assert "completed in 20 steps" in (folder / "log.txt").read_text()


def test_the_same_spec_gives_the_same_weights_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        assert ran(laid(tmp_path / name, spec(seed=seed)))[0] == 0
    assert model(tmp_path / "a") == model(tmp_path / "b") != model(tmp_path / "c")


@pytest.mark.parametrize(
    ("wrong", "code", "kind", "words"),
    [
        ("nan", 13, "unstable", "loss is nan at step 10"),
        ("error", 1, "defect", "KeyError: 'a defect of the trainer'"),
        ("memory", 12, "no_memory", "the memory is used up"),
        ("greedy", 12, "no_memory", "the memory is used up"),
    ],
)
def test_each_failure_has_its_code_and_one_sentence(
    tmp_path: Path, wrong: str, code: int, kind: str, words: str
) -> None:
    wanted = spec(wrong=wrong, resources=Resources(memory_mb=400))
    came, said = ran(laid(tmp_path / "a", wanted))
    found = outcome(tmp_path / "a")
    assert (came, found["failure"]) == (code, kind)
    assert words in said
    assert words in found["stopped_by"]
    assert "Traceback" not in said
    assert ("Traceback" in (tmp_path / "a" / "log.txt").read_text()) == (kind == "defect")


def test_what_was_measured_of_an_unstable_run_is_kept(tmp_path: Path) -> None:
    ran(laid(tmp_path / "a", spec(wrong="nan")))
    assert outcome(tmp_path / "a")["metrics"]["error"] > 0
    assert metrics(tmp_path / "a")[-1]["loss"] == "nan"


def test_a_wrong_spec_is_told_before_anything_is_loaded(tmp_path: Path) -> None:
    wanted = spec().model_copy(
        update={"recipe": Recipe(trainer="srl", settings={"learning_rat": 1e-4})}
    )
    file = laid(tmp_path / "a", wanted)
    code, said = ran(file)
    assert (code, "did you mean 'learning_rate'?" in said) == (2, True)
    recipe = Recipe(trainer="srl", profile="tiny")
    wanted = spec().model_copy(update={"recipe": recipe, "model_type": "arithmetic_reasonig"})
    code, said = ran(laid(tmp_path / "c", wanted))
    assert (code, "did you mean 'arithmetic_reasoning'?" in said) == (2, True)
    file = laid(tmp_path / "b", spec())
    file.write_text(file.read_text().replace('"seed"', '"sead"'))
    assert ran(file)[0] == 2
    assert ran(tmp_path / "nowhere" / "spec.json")[0] == 2


def test_bad_rows_and_a_bad_base_have_codes_of_their_own(tmp_path: Path) -> None:
    bad = b'{"x": 1}\n{"x": \n'
    wanted = spec().model_copy(update={"data": (ref(bad),)})
    code, said = ran(laid(tmp_path / "a", wanted, bad))
    assert (code, "line 2: the data is not JSON" in said) == (10, True)
    wanted = spec().model_copy(update={"base": "/not/there"})
    code, said = ran(laid(tmp_path / "b", wanted))
    assert (code, "the model '/not/there' is not there (base)" in said) == (11, True)


def test_weights_that_were_cut_off_are_found_without_loading_them(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    head = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    whole = len(head).to_bytes(8, "little") + head + bytes(8)
    file = laid(tmp_path / "a", spec().model_copy(update={"base": str(base)}))
    for config, weights, right in (
        (None, whole, "has no config.json"),
        (b"{", whole, "cannot be read"),
        (b"{}", None, "has no weights"),
        (b"{}", whole[:-1], "is cut off or broken"),
        (b"{}", b"", "is cut off or broken"),
        (b"{}", b"\xff" * 30, "is cut off or broken"),
    ):
        for name, text in (("config.json", config), ("model.safetensors", weights)):
            (base / name).unlink(missing_ok=True)
            if text is not None:
                (base / name).write_bytes(text)
        with pytest.raises(BadBase, match=right):
            ready(file)
    (base / "model.safetensors").write_bytes(whole)
    (base / "tokenizer.json").write_bytes(b"{}")
    assert ready(file).spec.base == str(base)


def test_check_looks_at_everything_and_begins_nothing(tmp_path: Path) -> None:
    file = laid(tmp_path / "a", spec())
    code, said = ran(file, "--check")
    assert (code, "job 'one' may begin" in said) == (0, True)
    assert sorted(one.name for one in file.parent.iterdir()) == ["data", "spec.json"]
    file = laid(tmp_path / "b", spec().model_copy(update={"base": "/not/there"}))
    assert ran(file, "--check")[0] == 11
    assert not (file.parent / "outcome.json").exists()


def test_a_job_that_has_ended_only_says_so_again(tmp_path: Path) -> None:
    file = laid(tmp_path / "a", spec(wrong="nan"))
    first, before = ran(file), (tmp_path / "a" / "outcome.json").read_bytes()
    assert ran(file) == first
    assert (tmp_path / "a" / "outcome.json").read_bytes() == before


def test_a_trainer_that_is_not_there_is_told_by_its_name(tmp_path: Path) -> None:
    for trainer, words in (
        ("tests.trainers.lime:train", "there is no module 'tests.trainers.lime'"),
        ("tests.trainers.line:trian", "tests.trainers.line has no 'trian'"),
    ):
        wanted = spec().model_copy(update={"recipe": Recipe(trainer=trainer)})
        code, said = ran(laid(tmp_path / trainer[-5:], wanted))
        assert (code, words in said) == (2, True)


def test_settings_of_a_trainer_of_ones_own_are_checked_as_well(tmp_path: Path) -> None:
    code, said = ran(laid(tmp_path / "a", spec(stepps=3)))
    assert (code, "did you mean 'steps'?" in said) == (2, True)
