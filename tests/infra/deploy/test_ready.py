"""The probe inside the container: ready, not ready, nobody there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from infra.deploy import ready
from tests.infra.deploy.files import compose, container, workloads
from tests.infra.processes import up


def test_a_home_without_an_owner_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RATCHET_HOME", str(tmp_path))
    assert ready.main() == 1
    assert "nobody is up" in capsys.readouterr().err
    (tmp_path / "up.json").write_text("[]")
    assert ready.main() == 1
    (tmp_path / "up.json").write_text(json.dumps({"http": "http://127.0.0.1:1", "token": "x"}))
    assert ready.main() == 1
    assert "does not answer" in capsys.readouterr().err


@pytest.mark.real
def test_an_owner_that_listens_to_the_outside_is_found_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATCHET_HOME", str(tmp_path / "home"))
    with up(tmp_path / "home", RATCHET__API__HOST="0.0.0.0") as running:
        assert ready.trouble() == ""
        assert running.ask("GET", "/readyz").status == 401  # which is why there is this probe
        for kind in ("startupProbe", "livenessProbe"):
            asked = container(workloads()["ratchet"])[kind]["httpGet"]
            assert running.ask("GET", asked["path"]).status == 200
    assert ready.main() == 1


def test_the_probes_call_it_and_wait_longer_than_it_does() -> None:
    probe = container(workloads()["ratchet"])["readinessProbe"]
    assert probe["exec"]["command"] == ["python", "-m", ready.__name__]
    assert probe["timeoutSeconds"] > ready.SECONDS
    health = compose()["services"]["ratchet"]["healthcheck"]
    assert health["test"] == ["CMD", *probe["exec"]["command"]]
    (seconds,) = re.findall(r"^(\d+)s$", health["timeout"])
    assert int(seconds) > ready.SECONDS
