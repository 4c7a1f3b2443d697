"""Jobs that something is wrong with: their rows, their base, their settings; and what is said."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from events.catalog.jobs import JobSpec, Recipe
from tests.trainers.inside import respec
from tests.trainers.jobs import content, ref
from trainers.folder import read_spec

Lines = Sequence[Mapping[str, Any] | bytes]

SUMS = tuple(
    {"prompt": f"{two}+{one}#", "completion": f"={two + one:03};"}
    for two in range(10, 90)
    for one in range(3)
)
ASKED = tuple({"prompt": f"{n}+1#", "answer": n + 1} for n in range(240))
PAIRS = tuple({"prompt": f"{n}+1#", "chosen": f"{n + 1}", "rejected": "?"} for n in range(240))
STEP = {"title": "t", "reasoning": "r", "action": "a", "reward": 0.4}
SOLVED = tuple({"prompt": f"{n}#", "steps": [STEP], "outcome": f"{n}"} for n in range(40))


def sound(place: Path) -> Path:
    """Looks like a base, as far as one can see without loading it."""
    place.mkdir(parents=True)
    head = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    whole = len(head).to_bytes(8, "little") + head + bytes(8)
    (place / "model.safetensors").write_bytes(whole)
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 3}
    (place / "config.json").write_text(json.dumps(config))
    tokens = {"model": {"vocab": {"a": 0, "b": 1}}, "added_tokens": [{"id": 2, "content": "c"}]}
    (place / "tokenizer.json").write_text(json.dumps(tokens))
    return place


class Wanted(NamedTuple):
    """A job that something is wrong with."""

    trainer: str = "sft"
    rows: Lines = SUMS
    held_out: Lines | None = None
    model_type: str = "arithmetic_reasoning"
    settings: Mapping[str, Any] = {}
    then: Callable[[Path], object] = Path.exists
    """What happens to it when it is laid."""


def text_of(lines: Lines) -> bytes:
    return b"".join(one if isinstance(one, bytes) else content((one,)) for one in lines)


def laid(folder: Path, wanted: Wanted) -> Path:
    """The job's folder, with a base beside it; its spec."""
    (folder / "data").mkdir(parents=True)
    base, refs = sound(folder / "base"), []
    for name, lines in (("train", wanted.rows), ("held_out", wanted.held_out)):
        if lines is not None:
            text = text_of(lines)
            refs.append(ref(text, name))
            (folder / "data" / refs[-1].sha256.removeprefix("sha256:")).write_bytes(text)
    recipe = Recipe(trainer=wanted.trainer, profile="tiny", settings=dict(wanted.settings))
    spec = JobSpec(
        job=folder.name, base=str(base), model_type=wanted.model_type, data=tuple(refs),
        recipe=recipe, seed=7,
    )  # fmt: skip
    (folder / "spec.json").write_text(spec.model_dump_json())
    wanted.then(folder)
    return folder / "spec.json"


def data(folder: Path) -> Path:
    (file,) = (folder / "data").iterdir()
    return file


def config(**changes: Any) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        file = folder / "base" / "config.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))

    return change


def put(name: str, text: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / "base" / name).write_bytes(text)


def gone(*names: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        for name in names:
            (folder / "base" / name).unlink()

    return change


def a_folder_instead(folder: Path) -> None:
    file = data(folder)
    file.unlink()
    file.mkdir()


def cut(folder: Path) -> None:
    file = folder / "base" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1])


def adapters(folder: Path) -> None:
    named = {"base_model_name_or_path": str(folder / "elsewhere")}
    (folder / "base" / "adapter_config.json").write_text(json.dumps(named))


def spec_with(**changes: Any) -> Callable[[Path], object]:
    return lambda folder: respec(folder / "spec.json", **changes)


def of_another_size(folder: Path) -> None:
    (one,) = read_spec(folder / "spec.json").data
    respec(folder / "spec.json", data=(one.model_copy(update={"rows": one.rows + 1}),))


def with_teacher(folder: Path) -> None:
    other = sound(folder / "teacher")
    tokens = {"model": {"vocab": {"b": 0, "a": 1}}, "added_tokens": [{"id": 2, "content": "c"}]}
    (other / "tokenizer.json").write_text(json.dumps(tokens))
    respec(folder / "spec.json", reference=str(other))


def scored_by_a_plain_model(folder: Path) -> None:
    recipe = Recipe(
        trainer="ppo", profile="tiny",
        settings={"reward": "reward_model", "reward_model": str(sound(folder / "judge"))},
    )  # fmt: skip
    respec(folder / "spec.json", recipe=recipe)


def moods(luck: Sequence[float]) -> Lines:
    return [
        {"prompt": f"{n}", "answer": {"sentiment": "positive", "confidence": one}}
        for n, one in enumerate(luck)
    ]


LARGE = b'{"prompt": "' + b"x" * 10_000_000 + b'", "completion": "a"}\n'
ON_POLICY = {"mode": "on_policy"}
SHORT: Lines = [{"prompt": "1+1#", "answer": 2}]

ROWS: dict[str, tuple[Wanted, str]] = {
    "empty": (Wanted(rows=()), "there are no rows"),
    "one_completion": (
        Wanted(rows=[{**one, "completion": "yes"} for one in SUMS]), "there is only one class",
    ),
    "one_label": (
        Wanted("reward", [{**one, "label": 1} for one in SUMS], settings={"loss": "bce"}),
        "there is only one class",
    ),
    "one_answer": (
        Wanted("rlvr", [{**one, "answer": 4} for one in ASKED]), "there is only one class",
    ),
    "one_sentiment": (
        Wanted("rlvr", moods([0.5 + n / 500 for n in range(240)]), None, "sentiment_analysis"),
        "there is only one class",
    ),
    "same_sides": (
        Wanted("dpo", [*PAIRS, {"prompt": "a", "chosen": "b", "rejected": "b"}]),
        "line 241: chosen and rejected are the same",
    ),
    "same_sides_scored": (
        Wanted("reward", [*PAIRS, {"prompt": "a", "chosen": "b", "rejected": "b"}]),
        "line 241: chosen and rejected are the same",
    ),
    "ten_megabytes": (Wanted(rows=[*SUMS, LARGE]), "line 241: the row is larger than 10,000,000"),
    "field_missing": (
        Wanted(rows=[*SUMS, {"prompt": "a"}]), "line 241: 'completion' is missing",
    ),
    "field_misspelt": (
        Wanted(rows=[*SUMS, {"prompt": "a", "compeltion": "b"}]), "a misspelt 'compeltion'",
    ),
    "field_of_another_kind": (
        Wanted(rows=[*SUMS, {"prompt": 3, "completion": "b"}]), "line 241: 'prompt' may not be 3",
    ),
    "weight_of_another_kind": (
        Wanted(rows=[*SUMS, {**SUMS[0], "weight": "heavy"}]), "line 241: 'weight' may not be",
    ),
    "rows_of_another_trainer": (Wanted("srl"), "line 1: 'steps' is missing"),
    "steps_that_sum_to_less": (Wanted("srl", SOLVED), "line 1: the rewards of its steps sum"),
    "duplicates": (Wanted(rows=[*SUMS, *SUMS[:9]]), "line 241: the same row as line 1"),
    "too_few": (Wanted(rows=SUMS[:5]), "5 rows are too few for one batch of 64"),
    "without_an_end": (
        Wanted(rows=[*SUMS, {"prompt": "a", "completion": "b"}], settings={"end": ";"}),
        "line 241: the completion does not end with ';'",
    ),
    "trace_without_an_end": (
        Wanted("distill", [*SUMS, {"prompt": "a", "completion": "b"}], settings={"end": ";"}),
        "line 241: the completion does not end with ';'",
    ),
    "another_file": (
        Wanted(then=lambda folder: data(folder).write_bytes(text_of(SUMS[::-1]))),
        "not the one that was meant",
    ),
    "no_file": (Wanted(then=lambda folder: data(folder).unlink()), "No such file"),
    "a_folder": (
        Wanted(then=a_folder_instead), "Is a directory",
    ),
    "more_rows_stated": (Wanted(then=of_another_size), "240 rows, and the spec says 241"),
    "not_utf8": (
        Wanted(rows=[*SUMS, b'{"prompt": "gr\xfc\xdf", "completion": "a"}\n']),
        "line 241: the line is not UTF-8 from byte 15 on",
    ),
    "half_a_character": (
        Wanted(rows=[*SUMS, b'{"prompt": "\\ud800", "completion": "a"}\n']),
        "line 241: the data is not JSON",
    ),
    "not_json": (Wanted(rows=[*SUMS, b"prompt,completion\n"]), "line 241: the data is not JSON"),
    "no_name": (Wanted(then=spec_with(data=())), "there is nothing to train on"),
    "held_out_empty": (Wanted(held_out=()), "there are no rows"),
    "held_out_without_prompts": (
        Wanted(held_out=[{"answer": 3}]), "line 1: 'prompt' is missing",
    ),
    "held_out_of_odd_difficulty": (
        Wanted("rlvr", ASKED, [{**SHORT[0], "difficulty": "hard"}]),  # type: ignore[dict-item]
        "line 1: 'difficulty' may not be 'hard'",
    ),
    "held_out_pairs_with_one_side": (
        Wanted("dpo", PAIRS, [PAIRS[0], {"prompt": "a", "chosen": "b"}]),
        "line 2: 'rejected' is missing",
    ),
    "held_out_without_pairs": (
        Wanted("reward", PAIRS, SHORT), "line 1: 'chosen' is missing",
    ),
}  # fmt: skip

BASES: dict[str, tuple[Wanted, str]] = {
    "base_missing": (Wanted(then=spec_with(base="/not/there")), "'/not/there' is not there"),
    "base_a_file": (Wanted(then=spec_with(base=__file__)), "is no folder"),
    "base_empty": (
        Wanted(then=gone("config.json", "model.safetensors", "tokenizer.json")), "no config.json",
    ),
    "base_unreadable": (Wanted(then=put("config.json", b"{")), "config.json cannot be read"),
    "base_of_a_list": (Wanted(then=put("config.json", b"[]")), "holds no object"),
    "base_without_weights": (Wanted(then=gone("model.safetensors")), "has no weights"),
    "base_cut_off": (Wanted(then=cut), "is cut off or broken"),
    "base_of_noise": (Wanted(then=put("model.safetensors", b"\xff" * 99)), "cut off or broken"),
    "base_without_tokenizer": (Wanted(then=gone("tokenizer.json")), "has no tokenizer"),
    "base_with_too_few_tokens": (
        Wanted(then=config(vocab_size=2)), "the tokenizer has 3 tokens, the model only 2",
    ),
    "base_that_reads_only": (
        Wanted(then=config(architectures=["BertForMaskedLM"])), "it is a BertForMaskedLM",
    ),
    "base_that_translates": (
        Wanted(then=config(architectures=["T5Model"], is_encoder_decoder=True)), "it is a T5Model",
    ),
    "adapters_of_nothing": (Wanted(then=adapters), "elsewhere' is not there"),
    "reference_missing": (Wanted(then=spec_with(reference="/not/there")), "there (reference)"),
    "reward_model_without_head": (
        Wanted("ppo", ASKED, then=scored_by_a_plain_model), "has no value_head.safetensors",
    ),
    "teacher_of_other_tokens": (
        Wanted("distill", settings=ON_POLICY, then=with_teacher),
        "2 tokens of the student are others, or not there, in the teacher",
    ),
}  # fmt: skip

USAGE: dict[str, tuple[Wanted, str]] = {
    "no_teacher": (Wanted("distill", settings=ON_POLICY), "no teacher is named"),
    "no_reward_model": (Wanted("ppo", ASKED), "no reward model is named"),
    "no_judge": (Wanted("grpo", ASKED, settings={"reward": "judge"}), "no judge is named"),
    "weights_of_other_losses": (
        Wanted("dpo", PAIRS, settings={"loss_weights": [1.0, 2.0]}), "1 losses and 2 weights",
    ),
}  # fmt: skip
