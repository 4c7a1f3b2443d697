"""What can be set for each trainer: documented, bounded, and nothing else is taken."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from pydantic import ValidationError

from events.catalog.jobs import JobSpec, Limits, Recipe, Resources
from tests.house.source import ROOT
from trainers.failures import FAILURES, JobFailed, Usage, classified
from trainers.job import TRAINERS
from trainers.profiles import PROFILES
from trainers.recipes import SETTINGS, Ppo, Rlvr, Srl, described, settings_of

PURE = (
    "trainers",
    "trainers.recipes",
    "trainers.failures",
    "trainers.data",
    "trainers.run",
    "trainers.job",
    "trainers.executor",
    "trainers.local",
    "trainers.guard",
    "trainers.hosting",
    "trainers.host",
)


def settled(trainer: str, **settings: object) -> object:
    return settings_of(Recipe.model_validate({"trainer": trainer, "settings": settings}))


def refusal(trainer: str, **settings: object) -> str:
    with pytest.raises(Usage) as refused:
        settled(trainer, **settings)
    return str(refused.value)


@pytest.mark.parametrize("trainer", SETTINGS)
def test_every_setting_of_a_trainer_has_its_sentence(trainer: str) -> None:
    said = described(SETTINGS[trainer])
    assert set(said) == set(SETTINGS[trainer].model_fields)
    assert all(text.endswith(".") for text in said.values())


@pytest.mark.parametrize(
    "trainer", [name for name in SETTINGS if name not in ("measure", "begin", "harness")]
)
@pytest.mark.parametrize("profile", ["real", "tiny"])
def test_every_profile_is_complete(trainer: str, profile: str) -> None:
    found = settings_of(Recipe.model_validate({"trainer": trainer, "profile": profile}))
    assert found.batch >= 1
    assert found.rate > 0


def test_there_are_settings_profiles_and_a_module_for_the_same_trainers() -> None:
    assert list(SETTINGS) == list(PROFILES) == list(TRAINERS)


def test_the_real_profile_holds_what_the_architecture_prescribes() -> None:
    srl, rlvr = settled("srl"), settled("rlvr")
    assert isinstance(srl, Srl)
    assert (srl.learning_rate, srl.beta, srl.batch, srl.epochs) == (1e-5, 0.1, 32, 5)
    assert (srl.normaliser, srl.max_grad_norm) == ("z_score", 1.0)
    assert (srl.lora_r, srl.lora_alpha, srl.lora_dropout) == (16, 32, 0.1)
    assert isinstance(rlvr, Rlvr)
    assert (rlvr.learning_rate, rlvr.clip, rlvr.value_coef) == (1e-6, 0.2, 0.5)
    assert (rlvr.entropy_coef, rlvr.gamma, rlvr.algorithm) == (0.01, 0.99, "ppo")
    ppo = settled("ppo")
    assert isinstance(ppo, Ppo)
    assert (ppo.learning_rate, ppo.batch, ppo.steps, ppo.reward_scale) == (1e-6, 4, 1000, 1.0)


def test_adapters_of_tiny_models_learn_ten_times_as_fast() -> None:
    full = settings_of(Recipe(trainer="srl", profile="tiny"))
    lora = settings_of(Recipe(trainer="srl", profile="tiny", settings={"lora": True}))
    assert lora.rate == pytest.approx(10 * full.rate)


def test_a_misspelt_setting_is_told_with_the_one_that_was_meant() -> None:
    said = refusal("srl", learning_rat=1e-4)
    assert said == (
        "Srl has no field 'learning_rat' (recipe.settings.learning_rat): "
        "did you mean 'learning_rate'?"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", 0),
        ("learning_rate", 3),
        ("beta", -0.1),
        ("normaliser", "zscore"),
        ("samples", 1),
        ("temperature", 0),
        ("lora_dropout", 1.5),
        ("tools", ["no path"]),
        ("judge_url", "somewhere"),
        ("steps", "many"),
    ],
)
def test_a_setting_out_of_its_bounds_is_refused_by_its_name(name: str, value: object) -> None:
    assert f"recipe.settings.{name}" in refusal("srl", **{name: value})


def test_what_users_of_trl_would_miss_is_taken() -> None:
    found = settled(
        "grpo",
        use_vllm=True,
        vllm_mode="server",
        vllm_server_base_url="http://127.0.0.1:8000",
        tools=["mine.tools:search"],
        environment_factory="mine.tools:make",
        judge_url="http://127.0.0.1:8750/judge",
        report_to=["tensorboard"],
    )
    assert found


def test_a_misspelt_trainer_is_told_with_the_one_that_was_meant() -> None:
    assert refusal("srll") == ("there is no trainer 'srll' (recipe.trainer): did you mean 'srl'?")


def test_the_example_of_a_job_is_a_job() -> None:
    spec = JobSpec.model_validate_json(json.dumps(JobSpec.example))
    assert JobSpec.model_validate_json(spec.model_dump_json()) == spec
    assert spec.trainer == "srl"
    assert spec.resources == Resources(threads=1, gpus=0)
    assert spec.limits == Limits()


def test_a_model_type_is_a_name_or_somebodys_own_file() -> None:
    for name in ("arithmetic_reasoning", "mine/types.py", "/home/me/types.py:TYPE"):
        text = json.dumps({**JobSpec.example, "model_type": name})
        assert JobSpec.model_validate_json(text).model_type == name


@pytest.mark.parametrize(
    "changed",
    [
        {"job": "../up"},
        {"recipe": {"trainer": "os.system('x')"}},
        {"seed": -1},
        {"limits": {"kl": 0}},
        {"resources": {"threads": 0}},
        {"data": [{"name": "a", "sha256": "md5:1", "size": 1, "rows": 1}]},
        {"data": 2 * JobSpec.example["data"]},
        {"colour": "red"},
        {"model_type": "a type"},
    ],
)
def test_what_is_no_job_cannot_be_one(changed: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        JobSpec.model_validate_json(json.dumps({**JobSpec.example, **changed}))


def test_each_kind_of_failure_has_a_code_of_its_own() -> None:
    codes = [one.exit_code for one in FAILURES.values()]
    assert len(set(codes)) == len(codes)
    assert all(one.kind == kind for kind, one in FAILURES.items())
    assert 0 not in codes


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), "no_memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "no_memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "no_memory"),
        (RuntimeError("shapes do not fit"), "defect"),
        (OSError(28, "No space left on device"), "no_room"),
        (OSError(27, "File too large"), "no_room"),
        (
            RuntimeError("[enforce fail at inline_container.cc] . unexpected pos 6 vs 5"),
            "no_room",
        ),
        (
            RuntimeError("PytorchStreamWriter failed writing file data/3"),
            "no_room",
        ),
        (KeyError("x"), "defect"),
        (SystemExit(3), "defect"),
        (FAILURES["bad_base"]("gone"), "bad_base"),
    ],
)
def test_an_error_is_sorted_by_what_it_means(error: BaseException, kind: str) -> None:
    found = classified(error)
    assert isinstance(found, JobFailed)
    assert found.kind == kind


@pytest.mark.parametrize("module", PURE)
def test_what_is_pure_loads_no_training_library(module: str) -> None:
    script = (
        f"import sys, {module}\n"
        "heavy = {'torch', 'transformers', 'trl', 'peft', 'datasets', 'accelerate', 'numpy'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_trainers_are_imported_within_a_tenth_of_a_second() -> None:
    script = (
        "import time; began = time.perf_counter(); import trainers;"
        "print(time.perf_counter() - began)"
    )
    took = min(
        float(subprocess.check_output([sys.executable, "-c", script], cwd=ROOT, text=True))
        for _ in range(3)
    )
    assert took < 0.1
