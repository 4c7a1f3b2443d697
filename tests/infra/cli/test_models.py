"""`ratchet models`: versions, lineage, cards; a model brought along, and files written out."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agents.trainer.workers.models import kept
from events.artifacts import Artifacts
from events.catalog.examinations import ExaminationRequested
from events.catalog.gates import CandidateRegistered, GatePassed
from events.catalog.training import RunCompleted, StageCompleted, StageRequested
from events.message import Event
from events.store import ClaimRequest, append
from infra.home import Home
from tests.agents.trainer.story import example
from tests.events.messages import granted, held
from tests.infra.cli.saying import document, refused, said
from tests.infra.processes import up
from tests.pipelines.registered import begun, verified, whole

REQUESTS: dict[str, type[Event]] = {
    "StageCompleted": StageRequested,
    "ModelVerified": ExaminationRequested,
}
BRIEF = {
    "model", "status", "reason", "sha256", "size", "role", "version", "run", "pipeline", "base",
    "score", "improvement", "verified", "registered_at",
}  # fmt: skip


def write(home: Path, events: Sequence[Event]) -> None:
    """What only agents and workers may say, written as they do: an outcome under a lease."""

    async def told() -> None:
        store = Home(home).writer()
        try:
            for event in events:
                if not event.outcome:
                    await append(store, event, actor="agent:trainer")
                    continue
                kind = REQUESTS[event.wire]
                (request,) = await append(store, example(kind), actor="agent:trainer")
                lease = granted(await store.submit(ClaimRequest((kind.wire,), "worker", 60)))
                await append(store, event, actor="worker", cause=request, answers=held(lease))
        finally:
            await store.close()

    asyncio.run(told())


def folder_of(place: Path, words: str = "weights") -> Path:
    """Files as a model has them, without being one."""
    (place / "tokens").mkdir(parents=True)
    (place / "config.json").write_text('{"model_type": "llama"}')
    (place / "tokens" / "all.txt").write_text(words)
    return place


def with_files(home: Path, folder: Path) -> list[Event]:
    """A run whose model and adapters really lie in the artifacts."""
    artifacts = Artifacts(Home(home).artifacts)
    model = kept(artifacts, folder_of(folder / "model"), "policy")
    adapter = kept(artifacts, folder_of(folder / "adapter", "little"), "adapter.srl")
    return [
        begun("5ca1ab1e", base="sums/v1"),
        StageCompleted(run="5ca1ab1e", stage="srl", attempt=1, seconds=1.0, artifacts=(model,)),
        GatePassed(run="5ca1ab1e", stage="srl", attempt=1),
        RunCompleted(run="5ca1ab1e"),
        CandidateRegistered(role="sums", run="5ca1ab1e", model=model, made=(adapter,)),
    ]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions of a role, the first one verified."""
    folder = tmp_path_factory.mktemp("registry")
    home = folder / "home"
    write(home, [*whole("r1", 1, 2), *verified(2, "holds"), *with_files(home, folder)])
    return home


def test_models_are_listed_with_their_state_and_score(registry: Path) -> None:
    told = document(registry, "models", "list")
    assert told["total"] == 2
    first, second = told["models"]
    assert set(first) == BRIEF
    assert (first["model"], first["status"]) == ("sums/v1", "superseded")
    assert (second["model"], second["base"]) == ("sums/v2", "sums/v1")
    assert document(registry, "models", "list", "--limit", "1")["models"] == [second]
    assert document(registry, "models", "list", "--role", "sums") == told
    text = said(registry, "models", "list").out
    assert "0.600 (0.580 to 0.620)" in text
    refused(said(registry, "models", "list", "--role", "sum"), 3, "there is no role")


def test_a_model_is_shown_by_its_version_its_hash_or_its_run(registry: Path) -> None:
    shown = document(registry, "models", "show", "sums/v1")
    assert shown["selection"]["taken"]["stage"] == "rlvr"
    for words in ("r1", shown["sha256"], shown["sha256"][:71]):
        assert document(registry, "models", "show", words) == shown
    text = said(registry, "models", "show", "sums/v1").out
    assert "taken as the best by its held-out score, of 2" in text
    assert "superseded: sums/v2 came after it" in text
    refused(said(registry, "models", "show", "sums/v7"), 3, "did you mean 'sums/v")
    refused(said(registry, "models", "show", "feed"), 3, "there is no model 'feed'")


def test_two_models_are_told_side_by_side(registry: Path) -> None:
    found = document(registry, "models", "diff", "sums/v1", "sums/v2")
    assert found["models"] == ["sums/v1", "sums/v2"]
    assert not found["same"]
    facts = {one["what"]: (one["one"], one["other"]) for one in found["facts"]}
    assert facts["base"] == ("tiny", "sums/v1")
    assert "role" not in facts
    assert {one["other_is"] for one in found["figures"]} <= {
        "higher", "lower", "not surely another", "only one",
    }  # fmt: skip
    text = said(registry, "models", "diff", "sums/v1", "sums/v2").out
    assert text.startswith("sums/v2 beside sums/v1\n")
    assert "sums/v2 is" in text
    same = document(registry, "models", "diff", "sums/v1", "r1")
    assert same["same"]
    assert same["facts"] == []
    refused(said(registry, "models", "diff", "sums/v1", "sums/v3"), 3, "there is no model")


def test_lineage_is_a_tree_back_to_the_first_base(registry: Path, tmp_path: Path) -> None:
    told = document(registry, "models", "lineage", "sums/v2")
    (run,) = told["from"]
    assert run["name"] == "5ca1ab1e"
    assert [one["name"] for one in run["from"]][:1] == ["sums/v1"]
    page = tmp_path / "family.html"
    text = said(registry, "models", "lineage", "sums/v2", "--html", str(page)).out
    assert "base  sums/v1" in text
    assert "data  of-r1" in text
    assert "of-r1" in page.read_text()
    again = said(registry, "models", "lineage", "sums/v2", "--html", str(page))
    refused(again._replace(out=""), 2, "such a file already")


def test_a_card_says_what_was_measured_and_what_was_not(registry: Path) -> None:
    card = document(registry, "models", "card", "sums/v2")["card"]
    assert "Behind its run nobody has verified it yet." in card
    assert "not the best" in document(registry, "models", "card", "sums/v1")["card"]


def test_files_are_written_into_a_new_folder_and_never_over_another(
    registry: Path, tmp_path: Path
) -> None:
    place = tmp_path / "model"
    told = document(registry, "models", "export", "sums/v2", str(place))
    assert told["files"] == ["config.json", "tokens/all.txt"]
    assert (place / "tokens" / "all.txt").read_text() == "weights"
    refused(said(registry, "models", "export", "sums/v2", str(place)), 2, "something already")
    alone = tmp_path / "alone"
    document(registry, "models", "export", "sums/v2", str(alone), "--adapter")
    assert (alone / "adapter" / "tokens" / "all.txt").read_text() == "little"
    no_adapter = said(registry, "models", "export", "sums/v1", str(tmp_path / "x"), "--adapter")
    refused(no_adapter, 3, "made without adapters")
    gone = said(registry, "models", "export", "sums/v1", str(tmp_path / "y"))
    refused(gone, 3, "no such artifact")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["alone", "model"]


def test_a_model_that_is_none_is_not_added(registry: Path, tmp_path: Path) -> None:
    nothing = said(registry, "models", "add", str(tmp_path / "no"), "--name", "own")
    refused(nothing, 3, "no such folder")
    broken = said(registry, "models", "add", str(folder_of(tmp_path / "m")), "--name", "own")
    assert broken.code != 0
    assert "safetensors" in broken.err
    assert document(registry, "models", "list")["total"] == 2


def a_model(place: Path) -> Path:
    """As small as a model can be and still be one, by all that is looked at before loading."""
    place.mkdir()
    told = {"architectures": ["LlamaForCausalLM"], "vocab_size": 4}
    (place / "config.json").write_text(json.dumps(told))
    (place / "tokenizer.json").write_text('{"model": {"vocab": {"a": 0}}}')
    head = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    weights = len(head).to_bytes(8, "little") + head + bytes(4)
    (place / "model.safetensors").write_bytes(weights)
    return place


def test_a_model_of_ones_own_is_a_base_by_its_name_and_comes_out_as_it_went_in(
    tmp_path: Path,
) -> None:
    home, folder = tmp_path / "home", a_model(tmp_path / "own")
    words = ("models", "add", str(folder), "--name", "own", "--licence", "MIT")
    told = document(home, *words)
    assert told["changed"]
    assert not document(home, *words)["changed"]
    assert document(home, "models", "show", "own")["licence"] == "MIT"
    role = ("name=sums", "purpose=adds", "model_type=arithmetic_reasoning")
    profile = json.dumps(dict(one.split("=") for one in role))
    document(home, "publish", "RoleDefined", "role=sums", f"profile={profile}")
    asked = ("publish", "TrainingRequested", "role=sums", "pipeline=rehearsal", "--wait")
    begun_ = document(home, *asked, "base=own")["outcome"]
    assert begun_["type"] == "RunStarted"
    (known,) = begun_["data"]["known"]
    assert known["sha256"] == told["model"]["sha256"]
    refused_ = document(home, *asked, "base=sums/v1", code=1)["outcome"]
    assert "role 'sums' has none" in refused_["data"]["reason"]
    out = tmp_path / "out"
    document(home, "models", "export", "own", str(out))
    for file in folder.iterdir():
        assert (out / file.name).read_bytes() == file.read_bytes()


def test_the_warm_server_answers_lists_one_model_and_its_lineage(
    registry: Path, tmp_path: Path
) -> None:
    home = Path(shutil.copytree(registry, tmp_path / "home"))
    with up(home) as owner:

        def asked(path: str) -> Any:
            return owner.ask("GET", path).body

        models = asked("/models?limit=1&newest=true")
        assert ([one["model"] for one in models["models"]], models["total"]) == (["sums/v2"], 2)
        assert asked("/models?limit=1")["next"] == 1
        assert asked("/models/sums/v1") == document(home, "models", "show", "sums/v1")
        assert asked("/lineage/sums/v2") == document(home, "models", "lineage", "sums/v2")
        runs = asked("/runs?role=sums")
        assert [one["run"] for one in runs["runs"]] == ["r1", "5ca1ab1e"]
        assert "stages" not in runs["runs"][0]
        assert asked("/runs/r1")["stages"][2]["name"] == "srl"


def test_a_home_without_a_model_says_so(tmp_path: Path) -> None:
    assert document(tmp_path / "none", "models", "list") == {"models": [], "total": 0}
    assert said(tmp_path / "none", "models", "list").out == "There are no models yet.\n"
    refused(said(tmp_path / "none", "models", "show", "a/v1"), 3, "none is there")
    assert not (tmp_path / "none").exists()
