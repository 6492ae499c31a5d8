"""dvc.yaml declares for every stage exactly what the stage reads: proved by running each under an audit."""

import re
import shutil

import pytest
from observing import WORKING_STATE, declared, faults, observe

pytestmark = pytest.mark.slow


@pytest.fixture
def planted(observed, tmp_path):
    """Run one stage in a copy with one file changed, and return the faults found."""

    def planted(name, file, old, new):
        workspace = observed[0].copy(tmp_path / "project")
        workspace.replace(file, old, new)
        stage = next(stage for stage in declared(workspace.root) if stage.name == name)
        return faults(workspace.root, stage, observe(workspace, stage))

    return planted


def test_every_stage_reads_what_it_declares_and_nothing_else(observed):
    workspace, stages, seen = observed
    assert [fault for stage in stages for fault in faults(workspace.root, stage, seen[stage.name])] == []


def test_the_audit_sees_something_of_every_kind(observed):
    _, stages, seen = observed
    groups = {stage.group for stage in stages}
    assert groups == {"check", "download", "preprocess", "train", "evaluate", "export", "compare"}
    for stage in stages:
        assert f"stages/{stage.group}.py" in seen[stage.name].files
    assert "data/processed/digits/train.safetensors" in seen["train@lenet"].files
    assert "src/pipeline/models/lenet.py" in seen["train@lenet"].files
    assert {"seed", "runs.lenet.train.augment.shift", "runs.lenet.model.name"} <= seen["train@lenet"].used
    assert "runs.c.evaluate.num_mistakes" in seen["evaluate@c"].used


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
@pytest.mark.parametrize("group", ["preprocess", "train", "evaluate", "export", "compare"])
def test_native_code_opens_no_file_that_the_audit_misses(observed, tmp_path, group):
    workspace, stages, seen = observed
    stage = next(stage for stage in stages if stage.group == group)
    log = tmp_path / "opened"
    workspace.run("strace", "-f", "-qq", "-e", "trace=open,openat", "-o", log, "bash", "-c", stage.command)
    calls = re.findall(r'open(?:at)?\((?:AT_FDCWD, )?"([^"]+)", O_RDONLY.*\) = \d', log.read_text(errors="replace"))
    paths = {workspace.root / path for path in calls}
    files = {str(p.relative_to(workspace.root)) for p in paths if p.is_file() and p.is_relative_to(workspace.root)}
    assert f"stages/{group}.py" in files
    kept = {file for file in files if not any(part in file for part in WORKING_STATE)}
    assert kept - seen[stage.name].opened == set()


MAIN = "    content = params.read()\n"
PROCESS = "import subprocess, sys; subprocess.run({command}, check=True)"
PARAMETERS = "        - datasets.${key}.kind\n        - datasets.${key}.path\n"


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("stages/download.py", MAIN, MAIN + "    import pipeline.seeding\n", "reads src/pipeline/seeding.py, which"),
        (
            "stages/download.py",
            MAIN,
            MAIN + "    from importlib import import_module; import_module('pipeline.seeding')\n",
            "reads src/pipeline/seeding.py, which isn't declared",
        ),
        ("stages/download.py", MAIN, MAIN + "    Path('README.md').read_text()\n", "reads README.md, which isn't"),
        ("src/pipeline/core/params.py", "FILE =", "open('README.md').close()\nFILE =", "reads README.md, which isn't"),
        ("stages/download.py", MAIN, MAIN + "    list(Path('examples').iterdir())\n", "reads examples, which isn't"),
        (
            "stages/download.py",
            MAIN,
            MAIN + "    " + PROCESS.format(command="[sys.executable, '-c', \"open('README.md')\"]") + "\n",
            "reads README.md, which isn't declared",
        ),
        (
            "stages/download.py",
            MAIN,
            MAIN + "    " + PROCESS.format(command="['cat', 'README.md']") + "\n",
            'starts ["cat", ["cat", "README.md"]], which the audit can\'t look into',
        ),
        (
            "stages/download.py",
            MAIN,
            MAIN + "    from safetensors.numpy import load_file; "
            "load_file('data/processed/diabetes/val.safetensors')\n",
            "reads data/processed/diabetes/val.safetensors, which isn't declared",
        ),
        ("stages/download.py", MAIN, MAIN + "    content['seed']\n", "reads the parameter seed, which isn't declared"),
        (
            "stages/download.py",
            MAIN,
            MAIN + "    params.at(content, 'runs.a.train.optimizer.lr')\n",
            "reads the parameter runs.a.train.optimizer.lr, which isn't declared",
        ),
        (
            "dvc.yaml",
            PARAMETERS,
            PARAMETERS + "        - num_threads\n",
            "declares the parameter num_threads and doesn't read it",
        ),
        (
            "dvc.yaml",
            "        - stages/download.py\n",
            "        - stages/download.py\n        - src/pipeline/seeding.py\n",
            "declares src/pipeline/seeding.py and doesn't read it",
        ),
    ],
)
def test_a_planted_fault_is_found(planted, file, old, new, fault):
    (found,) = planted("download@diabetes", file, old, new)
    assert found.startswith(f"download@diabetes {fault}")


def test_an_option_that_is_only_validated_is_found(planted):
    (found,) = planted("preprocess@digits", "src/pipeline/datasets/digits.py", "options.test_fraction", "0.2")
    assert found == "preprocess@digits declares the parameter datasets.digits.test_fraction and doesn't read it"
