"""What the README tells people to type is typed here, in the order in which it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()

WAIT = "for i in $(seq 100); do [ -e .ratchet/up.json ] && break; sleep 0.1; done"
PORT = (
    "PORT=$(python -c \"import json; print(json.load(open('.ratchet/up.json'))['http']"
    ".rsplit(':', 1)[1])\")"
)


def typed(readme: str) -> list[str]:
    """The indented lines that begin with a command, continued lines joined.

    What names a machine `.example` is about other machines, which nobody has here.
    """
    joined = re.sub(r"\\\n\s+", "", readme)
    lines = re.findall(r"^    ((?:ratchet|curl) .*)$", joined, re.MULTILINE)
    return [re.sub(r"\s{2,}#.*", "", line) for line in lines if ".example" not in line]


def script(lines: list[str]) -> str:
    steps = ["set -euo pipefail", "trap 'kill $UP; wait $UP' EXIT"]
    for line in lines:
        if line.endswith("&"):
            steps += [f"{line} UP=$!", WAIT, PORT]
        else:
            steps.append(line.replace("127.0.0.1:8750", "127.0.0.1:$PORT"))
    return "\n".join(steps)


def test_the_readme_names_commands_to_type() -> None:
    lines = typed(README)
    assert sum(line.startswith("ratchet ") for line in lines) >= 8
    assert any(line.startswith("curl ") for line in lines)


@pytest.mark.real
def test_the_commands_of_the_readme_work_as_they_stand(tmp_path: Path) -> None:
    bin_folder = str(Path(sys.executable).parent)
    environment = {
        **os.environ,
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "RATCHET__API__PORT": "0",
        "RATCHET__WORKERS__PRETEND_SECONDS": "0.05",
    }
    environment.pop("RATCHET_HOME", None)
    done = subprocess.run(
        ["bash", "-x", "-c", script(typed(README))],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "RunStarted" in done.stdout
    assert '"position"' in done.stdout


LINKS = [
    (page.relative_to(ROOT), place)
    for page in (ROOT / "README.md", *ROOT.glob("[eit]*/**/*.md"))
    for place in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text())
]


@pytest.mark.parametrize(("page", "place"), LINKS, ids=str)
def test_what_our_pages_link_to_is_there(page: Path, place: str) -> None:
    file, _, part = place.partition("#")
    target = ROOT / page.parent / file
    assert target.exists()
    titles = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE) if part else []
    assert not part or part in [title.lower().replace(" ", "-") for title in titles]


def test_every_file_that_the_readme_names_is_there() -> None:
    tree = README.split("## Where everything is")[1].split("```")[1]
    folder = ""
    for line in tree.strip().splitlines():
        name, _, rest = line.strip().partition(" ")
        names = [name, *re.findall(r"^(\w+\.py)", rest)]
        if not line.startswith(" "):
            folder = name
            assert (ROOT / folder).is_dir(), folder
            continue
        for one in names:
            assert (ROOT / folder / one).exists(), f"{folder}{one}"
