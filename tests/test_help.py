"""Every command says what it is for, whoever asks, and where its arguments are wrong."""

import ast
import os
import re
import subprocess
import sys

import pytest
from project import ROOT

COMMANDS = sorted(
    str(file.relative_to(ROOT))
    for folder in ("src/pipeline", "stages", "tools", "benchmarks")
    for file in (ROOT / folder).rglob("*.py")
    if "\nif __name__ == " in file.read_text(encoding="utf-8")
)
#: Their modules need PyTorch for more than the command.
HEAVY = {"src/pipeline/deploying/onnx.py", "src/pipeline/deploying/aotinductor.py"}
HEAVY |= {file for file in COMMANDS if file.startswith("benchmarks/")}
#: They pass on to MLflow what they don't know.
PASS_ON = {"src/pipeline/tracking/ui.py", "src/pipeline/team/server.py"}


def call(file, folder, *arguments):
    """Run a command in an empty folder; the modules that it imports are on its standard error, too."""
    module = file.removeprefix("src/").removesuffix(".py").replace("/", ".")
    command = ["-m", module] if file.startswith("src/") else [str(ROOT / file)]
    return subprocess.run(
        [sys.executable, "-X", "importtime", *command, *arguments],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True,
    )  # fmt: skip


def marked(file):
    return pytest.param(file, marks=pytest.mark.slow) if file in HEAVY else file


@pytest.mark.parametrize("file", [marked(file) for file in COMMANDS])
def test_a_command_says_what_it_is_for(file, tmp_path):
    done = call(file, tmp_path, "--help")
    assert done.returncode == 0, done.stderr[-1000:]
    assert done.stdout.startswith("usage: ")
    first, *_ = (ast.get_docstring(ast.parse((ROOT / file).read_text(encoding="utf-8"))) or "").splitlines()
    assert first in done.stdout
    imported = set(re.findall(r"\| +(\w+)$", done.stderr, flags=re.MULTILINE))
    assert file in HEAVY or not imported & {"torch", "mlflow"}, "it takes seconds to say so"
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("file", [file for file in COMMANDS if file not in HEAVY | PASS_ON])
def test_arguments_that_nobody_knows_end_in_the_usage(file, tmp_path):
    done = call(file, tmp_path, "--unknown", "a")
    assert done.returncode == 2, done.stderr[-1000:]
    said = re.sub(r"^import time:.*\n", "", done.stderr, flags=re.MULTILINE)
    assert said.startswith("usage: ") and "error: " in said and "Traceback" not in said
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        ("promotion/demote", "make demote: error: RUN is missing"),
        ("promotion/trace", "make lineage: error: OF is missing"),
        ("tracking/revision", "make track: error: REV is missing"),
        ("serving/serve", "make serve: error: RUN is missing"),
    ],
)
def test_an_empty_variable_of_make_is_missing(command, missing, tmp_path):
    done = call(f"src/pipeline/{command}.py", tmp_path, "")
    assert done.stderr.rstrip().endswith(missing) and done.returncode == 2


def test_the_environment_is_told_of(tmp_path):
    for file, names in {
        "stages/train.py": ("PIPELINE_LAUNCH", "PIPELINE_DEVICE", "PIPELINE_CHECKPOINT_SECONDS", "PIPELINE_TRACKING"),
        "stages/download.py": ("PIPELINE_DATA_MIRROR",),
        "src/pipeline/tracking/track.py": ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_PASSWORD"),
        "src/pipeline/team/server.py": ("PGPASSWORD", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"),
    }.items():
        said = call(file, tmp_path, "--help").stdout
        assert [name for name in names if name not in said] == []


def test_make_help_lists_every_target():
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert targets is not None
    done = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    listed = {line.partition(" ")[0]: line.partition(" ")[2].strip() for line in done.stdout.splitlines()}
    assert sorted(listed) == sorted(targets[1].split())
    assert all(listed.values())
