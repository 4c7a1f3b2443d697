"""`distill` for real, from a tiny teacher made here: in `make proofs`, as it takes minutes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.infra.cli.saying import document
from tests.infra.test_demo import played


@pytest.mark.proof
@pytest.mark.parametrize("seed", [1, 2])
def test_a_quarter_of_the_weights_keeps_what_the_teacher_can_do(tmp_path: Path, seed: int) -> None:
    """And what comes of it lies in the registry, with adapters that give the same model again."""
    home = tmp_path / "home"
    code, told, said = played(home, "--pipeline", "distill", "--seed", str(seed))
    print({name: told[name] for name in ("seconds", "baseline", "final", "improvement")})
    assert code == 0, said[-3000:]
    verify = told["stages"][-1]["metrics"]
    print({name: verify[name] for name in ("teacher", "retention", "share", "speedup")})
    assert told["improvement"]["low"] > 0
    assert verify["retention"]["low"] >= 0.95
    assert verify["share"]["value"] <= 0.3
    assert verify["speedup"]["low"] > 1
    shown = document(home, "models", "show", told["run"])
    assert (shown["model"], shown["measured_in"]) == ("sums/v1", "verify")
    out = tmp_path / "out"
    document(home, "models", "export", "sums/v1", str(out), "--adapter")
    document(home, "models", "export", "sums/v1", str(tmp_path / "whole"))
    from trainers.engine import Engine
    from trainers.models import load

    both = [
        Engine(*load(place)).generate(["12+34#", "55+27#"], 32, 0.0)
        for place in (out / "adapter", tmp_path / "whole")
    ]
    assert both[0] == both[1]
