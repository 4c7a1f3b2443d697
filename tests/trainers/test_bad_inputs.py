"""What nobody could train on, or from: one sentence and a code, before anything heavy loads."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.house.source import ROOT
from tests.trainers.executor_contract import ended
from tests.trainers.inside import trained
from tests.trainers.jobs import ran
from tests.trainers.wrong import BASES, ROWS, USAGE, Wanted, data, laid, spec_with
from trainers.failures import BadBase, BadData, JobFailed
from trainers.folder import read_spec
from trainers.local import LocalExecutor
from trainers.models import MANIFEST

CASES = [
    pytest.param(*case, code, kind, id=name)
    for code, kind, cases in ((10, "bad_data", ROWS), (11, "bad_base", BASES), (2, "usage", USAGE))
    for name, case in cases.items()
]


@pytest.mark.parametrize(("wanted", "words", "code", "kind"), CASES)
def test_it_is_said_in_one_sentence_with_a_code_of_its_own(
    wanted: Wanted, words: str, code: int, kind: str, tmp_path: Path
) -> None:
    file = laid(tmp_path / "job", wanted)
    came, said = ran(file)
    assert (came, said.partition(": ")[0]) == (code, kind), said
    assert words in said
    assert len(said) < 5000
    outcome = json.loads((file.parent / "outcome.json").read_text())
    assert (outcome["status"], outcome["failure"], outcome["steps"]) == ("failed", kind, 0)
    assert outcome["where"]
    assert outcome["right"]
    assert not outcome["again"]
    for text in (said, (file.parent / "log.txt").read_text()):
        assert "Traceback" not in text
    assert not (file.parent / "metrics.jsonl").exists()


LOOKED = """
import sys
from pathlib import Path
from trainers.failures import classified
from trainers.job import ready
for name in sys.argv[1:]:
    try:
        ready(Path(name))
        print("nothing is wrong with", name)
    except Exception as error:
        print(classified(error).exit_code, end=" ")
    heavy = {"torch", "transformers", "peft", "trl", "numpy"} & set(sys.modules)
    if heavy:
        sys.exit(f"{name} loaded {heavy}")
"""


def test_all_of_it_is_found_before_anything_heavy_loads(tmp_path: Path) -> None:
    files = [
        laid(tmp_path / name, wanted)
        for cases in (ROWS, BASES, USAGE)
        for name, (wanted, _) in cases.items()
    ]
    command = [sys.executable, "-W", "error", "-c", LOOKED, *map(str, files)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.split() == ["10"] * len(ROWS) + ["11"] * len(BASES) + ["2"] * len(USAGE)


def test_an_executor_tells_the_same_and_does_not_try_again(tmp_path: Path) -> None:
    texts = {"sha256": b""}

    def fetch(_: str) -> Iterator[bytes]:
        yield texts["sha256"]

    executor = LocalExecutor(tmp_path / "jobs", fetch)
    for name in ("duplicates", "another_file", "base_cut_off", "no_judge"):
        wanted, words = {**ROWS, **BASES, **USAGE}[name]
        spec = read_spec(laid(tmp_path / name, wanted))
        texts["sha256"] = data(tmp_path / name).read_bytes()
        executor.submit(spec.model_copy(update={"job": name}))
        found = ended(executor, name)
        assert found.outcome is not None
        assert words in found.outcome.stopped_by
        kinds = {"base_cut_off": "bad_base", "no_judge": "usage"}
        assert found.outcome.failure == kinds.get(name, "bad_data")
        assert (found.starts, found.step, found.outcome.again) == (1, 0, False)
        assert "Traceback" not in executor.logs(name).text
    executor.close()


def without_an_end(place: Path) -> None:
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        if (place / name).exists():
            found = json.loads((place / name).read_text())
            found.pop("eos_token", None)
            (place / name).write_text(json.dumps(found))


def of_an_unknown_kind(place: Path) -> None:
    found = json.loads((place / "config.json").read_text())
    (place / "config.json").write_text(json.dumps({**found, "model_type": "unheard-of"}))


def with_a_layer_too_many(place: Path) -> None:
    found = json.loads((place / "config.json").read_text())
    found |= {"num_hidden_layers": 3, "layer_types": ["full_attention"] * 3}
    (place / "config.json").write_text(json.dumps(found))


LOADED: dict[str, tuple[Callable[[Path], object], Mapping[str, Any], type[JobFailed], str]] = {
    "without_an_end": (without_an_end, {}, BadBase, "its tokenizer has no end token"),
    "of_an_unknown_kind": (of_an_unknown_kind, {}, BadBase, "cannot be loaded"),
    "with_a_layer_too_many": (with_a_layer_too_many, {}, BadBase, "would have made them up"),
    "tokenizer_of_noise": (
        lambda place: (place / "tokenizer.json").write_text("{}"), {}, BadBase, "cannot be loaded",
    ),
    "rows_too_long": (
        Path.exists, {"max_length": 4}, BadData, "all 240 rows have more than 4 tokens",
    ),
    "layers_that_are_not_there": (
        Path.exists, {"lora": True, "lora_targets": ["elsewhere"]}, JobFailed, "elsewhere",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LOADED)
def test_what_only_loading_tells_is_told_before_the_first_step(
    case: str, base: Path, tmp_path: Path
) -> None:
    change, settings, kind, words = LOADED[case]
    own = tmp_path / "own"
    shutil.copytree(base, own)
    (own / MANIFEST).unlink()
    change(own)
    file = laid(tmp_path / "job", Wanted(settings=settings, then=spec_with(base=str(own))))
    with pytest.raises(kind, match=words):
        trained(file)
    assert (
        not (file.parent / "metrics.jsonl").exists()
        or not (file.parent / "metrics.jsonl").read_text()
    )


def test_a_base_that_only_loading_finds_broken_has_the_same_code(
    base: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    shutil.copytree(base, own)
    with (own / "model.safetensors").open("r+b") as weights:
        weights.seek(-1, 2)
        weights.write(b"\x01")
    file = laid(tmp_path / "job", Wanted(then=spec_with(base=str(own))))
    code, said = ran(file)
    assert (code, "model.safetensors is not what it was when it was saved" in said) == (11, True)
    assert "Traceback" not in (file.parent / "log.txt").read_text()
