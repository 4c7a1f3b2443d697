"""`python -m tests.proofs.demo_seeds [PIPELINE] [SEED...]`: the demo with several seeds as a table.

Each seed is a home of its own and a command of its own, as a newcomer would type it. What has ended
is not played again while the code that trains and decides is the same, so a proof that was stopped
goes on. The table lies in `benchmarks/results`, as JSON and as Markdown that can be quoted.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.bench.results import RESULTS, machine
from tests.house.source import ROOT

SEEDS = (0, 1, 2, 3, 4)
PLACE = ROOT / "build" / "proofs" / "demo"
OURS = ("agents", "events", "infra", "pipelines", "trainers")
NAME, FIRST = "demo_seeds", "srl_rlvr"
"""Of the tables, and the pipeline whose table has no other name."""
LONGEST = 1800


def played(seed: int, pipeline: str = FIRST) -> dict[str, Any]:
    """What came of a demo with this seed."""
    file = PLACE / _code() / f"{pipeline}-{seed}.json"
    if not file.exists():
        with tempfile.TemporaryDirectory() as folder:
            words = ["--home", f"{folder}/home", "demo", "--json"]
            done = subprocess.run(
                [sys.executable, "-m", "infra.cli.main", *words, "--pipeline", pipeline,
                 "--seed", str(seed)],
                cwd=ROOT, capture_output=True, text=True, timeout=LONGEST, check=False,
            )  # fmt: skip
        said = json.loads(done.stdout) if done.stdout else {}
        file.parent.mkdir(parents=True, exist_ok=True)
        found = {"code": done.returncode, "said": done.stderr[-3000:], "summary": said}
        file.write_text(json.dumps({**found, "load": machine()["load"]}))
    one: dict[str, Any] = json.loads(file.read_text())
    return one


def row(one: Mapping[str, Any]) -> dict[str, Any]:
    """A line of the table."""
    told = one["summary"]
    gates = [stage["gate"] for stage in told["stages"] if stage["gate"]]
    checks = {
        stage["name"]: check
        for stage in told["stages"]
        for check in (stage["gate"] or {"checks": ()})["checks"]
        if check["metric"] == "kl"
    }
    return {
        "seed": told["seed"],
        "pipeline": told["pipeline"],
        "exit_code": one["code"],
        "status": told["status"],
        "seconds": told["seconds"],
        "baseline": told["baseline"],
        "final": told["final"],
        "improvement": told["improvement"],
        "gates": {
            "passed": sum(gate["verdict"] in ("pass", "waived") for gate in gates),
            "of": len(gates),
            "remedies": sum(len(gate["remedies"]) for gate in gates),
            "kl": {name: round(check["value"], 4) for name, check in checks.items()},
        },
        "audit_differences": told["audit"]["differences"],
        "load": one["load"],
    }


def kept(rows: Iterable[Mapping[str, Any]], place: Path = RESULTS) -> Path:
    """The table, written down; its Markdown."""
    lines = sorted(rows, key=lambda one: int(one["seed"]))
    (pipeline,) = {str(one.get("pipeline", FIRST)) for one in lines}
    name = NAME if pipeline == FIRST else f"{NAME}_{pipeline}"
    document = {
        "name": name,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "what": f"ratchet demo --pipeline {pipeline}, one home for each seed",
        "rows": lines,
    }
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n")
    (place / f"{name}.md").write_text(markdown(lines))
    return place / f"{name}.md"


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """As the README has it."""
    head = "| seed | seconds | baseline | final | better by (95 %) | gates | remedies | KL |"
    lines = [head, "|---|--:|--:|--:|---|---|--:|---|"]
    for one in rows:
        gates, better = one["gates"], one["improvement"]
        kl = ", ".join(f"{name} {value:.3f}" for name, value in gates["kl"].items())
        span = (
            f"{better['value']:+.3f} ({better['low']:+.3f} to {better['high']:+.3f})"
            if better
            else one["status"]
        )
        lines.append(
            f"| {one['seed']} | {one['seconds']:.0f} | {_figure(one['baseline'])} |"
            f" {_figure(one['final'])} | {span} | {gates['passed']} of {gates['of']} |"
            f" {gates['remedies']} | {kl} |"
        )
    return "\n".join(lines) + "\n"


def _figure(one: Mapping[str, Any] | None) -> str:
    return "" if one is None else f"{one['value']:.3f}"


def _code() -> str:
    """Names the code that a demo runs through."""
    digest = sha256()
    for folder in OURS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def main() -> None:
    words = sys.argv[1:]
    pipeline = words.pop(0) if words and not words[0].isdecimal() else FIRST
    rows = []
    for seed in [int(word) for word in words] or SEEDS:
        print(f"{pipeline}, seed {seed} ...", file=sys.stderr, flush=True)
        rows.append(row(played(seed, pipeline)))
    print(kept(rows).read_text(), end="")
    sys.exit(any(one["exit_code"] for one in rows))


if __name__ == "__main__":
    main()
