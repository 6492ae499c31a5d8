"""A copy of the project in a folder of its own, in which the DAG really runs."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
#: A params.yaml of one run that trains in no time.
LINEAR = """\
seed: 1
num_threads: 1
datasets:
  digits: {kind: digits, path: data/digits.md5, image_size: 8}
comparisons: {}
runs:
  first:
    task: classification
    dataset: digits
    model: {name: linear}
    train: {epochs: 2, batch_size: 50, optimizer: {name: sgd, lr: 0.05}, loss: {name: cross_entropy}}
    evaluate: {batch_size: 1000}
    export: {batch_size: 500}
"""


class Workspace:
    """A checkout with its own git history, DVC cache and MLflow store."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.params = root / "params.yaml"

    @property
    def environment(self) -> dict[str, str]:
        """That of the commands: this Python's programs first, no tracking, nothing of the user or of `make test`."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        others = ("MLFLOW_", "PYTHON", "MAKE", "MFLAGS")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(others)}
        return {**inherited, "PATH": path, "DVC_NO_ANALYTICS": "1", "PIPELINE_TRACKING": "off"}

    def run(self, *command: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command at the root; unless ``check`` is off, a failure shows the end of what it printed."""
        everything = {**self.environment, **environment}
        done = subprocess.run(command, cwd=self.root, env=everything, capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
        return done

    def start(self, *command: str, stderr: int = subprocess.PIPE, **environment: str) -> "subprocess.Popen[str]":
        """Start a command at the root, in a session of its own: signals to its group reach it and what it starts."""
        return subprocess.Popen(
            command,
            cwd=self.root,
            env={**self.environment, **environment},
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )

    def repro(self, *targets: str, **environment: str) -> set[str]:
        """Run ``dvc repro`` and return the stages that ran."""
        done = self.run("dvc", "repro", *targets, check=True, **environment)
        return set(re.findall(r"Running stage '([^']+)'", done.stdout))

    def replace(self, file: str, old: str, new: str) -> None:
        """Replace the first ``old`` in a file; it must be there."""
        path = self.root / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def copy(self, target: Path) -> "Workspace":
        """The same workspace in another folder, which must not exist yet."""
        shutil.copytree(self.root, target, symlinks=True)
        return Workspace(target)

    def lock(self) -> dict[str, Any]:
        """Stage -> its command, parameters, dependencies and outputs, with their hashes, as in ``dvc.lock``."""
        stages: dict[str, Any] = YAML(typ="safe").load(self.root / "dvc.lock")["stages"]
        return stages

    def outputs(self) -> dict[str, bytes]:
        """Every output file with its bytes."""
        return {
            str(f.relative_to(self.root)): f.read_bytes() for f in (self.root / "outputs").rglob("*") if f.is_file()
        }


def copy_project(target: Path, params: str) -> Workspace:
    """Copy what git tracks, or would track, into a fresh repository with other parameters."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    for name in listed:
        if (ROOT / name).is_file() and name != "dvc.lock":
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    workspace = Workspace(target)
    workspace.params.write_text(params, encoding="utf-8")
    workspace.run("git", "init", "-q", "-b", "main")
    workspace.run("git", "config", "user.email", "test@localhost")
    workspace.run("git", "config", "user.name", "Test")
    workspace.run("git", "add", "-A")
    workspace.run("git", "commit", "-qm", "copy")
    return workspace
