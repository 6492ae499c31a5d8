import os
import subprocess
import sys

import pytest
from project import ROOT


@pytest.mark.parametrize(("seed", "is_estimated"), [(1, True), (2, False)])
def test_how_long_it_takes_is_said_only_of_the_parameters_that_come_with_the_project(tmp_path, seed, is_estimated):
    (tmp_path / "params.yaml").write_text("seed: 1\n", encoding="utf-8")
    stage = "stages: {echo: {cmd: echo done, deps: [params.yaml]}}\n"
    (tmp_path / "dvc.yaml").write_text(stage, encoding="utf-8")
    somebody = ("-c", "user.name=T", "-c", "user.email=t@localhost")
    for command in (
        ("git", "init", "-q"), ("dvc", "init", "-q"), ("git", "add", "-A"), ("git", *somebody, "commit", "-qm", "1"),
    ):  # fmt: skip
        subprocess.run(command, cwd=tmp_path, check=True)
    (tmp_path / "params.yaml").write_text(f"seed: {seed}\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.reproducing"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert "1 of 1 stages are out of date" in done.stderr
    assert ("2 to 8 minutes" in done.stderr) == is_estimated
