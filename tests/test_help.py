"""Every command says what it is for, whoever asks, and where its arguments are wrong."""

import ast
import json
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


#: Runs a command as Python does, once with each of several lists of arguments, in one process; prints of each its
#: status and what it said, and the modules that there are after the first.
SEVERAL_TIMES = """\
import contextlib, io, json, os, runpy, sys

command, *all_arguments = json.loads(sys.argv[1])
ends, modules = [], []
for arguments in all_arguments:
    sys.argv, sys.path[0] = [command, *arguments], os.path.dirname(command)
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            if command.endswith(".py"):
                runpy.run_path(command, run_name="__main__")
            else:
                runpy.run_module(command, run_name="__main__", alter_sys=True)
            status = 0
        except SystemExit as end:
            status = end.code
    modules = modules or [*sys.modules]
    ends.append((status, out.getvalue(), err.getvalue()))
print(json.dumps((ends, modules)))
"""


def python(folder, *arguments):
    """Run Python in an empty folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True)


def module(file):
    return file.removeprefix("src/").removesuffix(".py").replace("/", ".")


def call(file, folder, *arguments):
    """Run a command in an empty folder."""
    return python(folder, *(["-m", module(file)] if file.startswith("src/") else [str(ROOT / file)]), *arguments)


def marked(file):
    return pytest.param(file, marks=pytest.mark.slow) if file in HEAVY else file


@pytest.mark.parametrize("file", [marked(file) for file in COMMANDS])
def test_a_command_says_what_it_is_for_and_what_arguments_it_knows(file, tmp_path):
    command = module(file) if file.startswith("src/") else str(ROOT / file)
    unknown = [] if file in HEAVY | PASS_ON else [["--unknown", "a"]]
    done = python(tmp_path, "-c", SEVERAL_TIMES, json.dumps([command, ["--help"], *unknown]))
    assert done.returncode == 0, done.stderr[-1000:]
    ((status, said, _), *refused), modules = json.loads(done.stdout)

    assert status == 0 and said.startswith("usage: ")
    first, *_ = (ast.get_docstring(ast.parse((ROOT / file).read_text(encoding="utf-8"))) or "").splitlines()
    assert first in said
    assert file in HEAVY or not {"torch", "mlflow"} & {*modules}, "it takes seconds to say so"
    for status, out, err in refused:
        assert status == 2 and out == ""
        assert err.startswith("usage: ") and "error: " in err
    assert [*tmp_path.iterdir()] == []


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
