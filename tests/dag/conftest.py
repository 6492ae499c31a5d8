"""A copy of the project in which the DAG really runs, on small parameters."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PARAMS = """\
seed: 1
num_threads: 1
datasets:
  digits: {kind: digits, path: data/digits.md5}
  diabetes: {kind: diabetes, path: data/diabetes.md5}
runs:
  a:
    task: regression
    dataset: diabetes
    model: {name: linear}
    train: {epochs: 2, batch_size: 50, optimizer: {name: sgd, lr: 0.01}, loss: {name: mse}}
    evaluate: {batch_size: 1000}
    export: {batch_size: 500}
  c:
    task: classification
    dataset: digits
    model: {name: linear}
    train: {epochs: 2, batch_size: 50, optimizer: {name: sgd, lr: 0.05}, loss: {name: cross_entropy}}
    evaluate: {batch_size: 1000, num_mistakes: 5}
    export: {batch_size: 500}
  lenet:
    task: classification
    dataset: digits
    model: {name: lenet}
    train:
      epochs: 2
      batch_size: 50
      optimizer: {name: sgd, lr: 0.05, momentum: 0.9}
      loss: {name: cross_entropy}
      augment: {shift: 1}
    evaluate: {batch_size: 1000}
    export: {batch_size: 500}
"""


class Workspace:
    """A checkout with its own git history, DVC cache and MLflow store."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.params = root / "params.yaml"

    def run(self, *command: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "PYTHON"))}
        done = subprocess.run(
            command,
            cwd=self.root,
            env={**inherited, "PATH": path, "DVC_NO_ANALYTICS": "1", "PIPELINE_TRACKING": "off", **environment},
            capture_output=True,
            text=True,
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
        return done

    def repro(self, *targets: str, **environment: str) -> set[str]:
        """Run ``dvc repro`` and return the stages that ran."""
        return stages_run(self.run("dvc", "repro", *targets, **environment).stdout)

    def replace(self, file: str, old: str, new: str) -> None:
        path = self.root / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def outputs(self) -> dict[str, bytes]:
        """Every output file with its bytes."""
        return {
            str(f.relative_to(self.root)): f.read_bytes() for f in (self.root / "outputs").rglob("*") if f.is_file()
        }


def stages_run(output: str) -> set[str]:
    return set(re.findall(r"Running stage '([^']+)'", output))


def copy_project(target: Path) -> Workspace:
    """Copy what git tracks, or would track, into a fresh repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    for name in listed:
        if (ROOT / name).is_file() and name != "dvc.lock":
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    workspace = Workspace(target)
    workspace.params.write_text(PARAMS, encoding="utf-8")
    workspace.run("git", "init", "-q", "-b", "main")
    workspace.run("git", "config", "user.email", "test@localhost")
    workspace.run("git", "config", "user.name", "Test")
    workspace.run("git", "add", "-A")
    workspace.run("git", "commit", "-qm", "copy")
    return workspace


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory):
    """A workspace in which everything is up to date; don't change it, copy it by ``workspace``."""
    workspace = copy_project(tmp_path_factory.mktemp("project"))
    workspace.repro()
    workspace.run("git", "add", "-A")
    workspace.run("git", "commit", "-qm", "reproduced")
    return workspace


@pytest.fixture
def workspace(reproduced, tmp_path):
    """An own copy of the reproduced workspace."""
    shutil.copytree(reproduced.root, tmp_path / "project", symlinks=True)
    return Workspace(tmp_path / "project")
