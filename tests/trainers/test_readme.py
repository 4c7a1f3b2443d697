"""The program in the trainers' README runs as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.house.source import ROOT

PAGE = (ROOT / "trainers" / "README.md").read_text()


def test_the_program_teaches_a_base(tmp_path: Path, bases: Path) -> None:
    program = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
    (tmp_path / "bases").symlink_to(bases)  # so that the base need not be made anew
    (tmp_path / "first.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "first.py"],
        cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True,
        timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "'sampled': 0." in done.stdout
    for name in re.findall(r"^\| `([a-z_.]+)/?` \|", PAGE.split("## Which")[0], re.MULTILINE):
        assert (tmp_path / "jobs" / "first" / name).exists(), name
