import os
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path("src").resolve()
PROGRAM = """\
import os, sys
from pathlib import Path
from pipeline.core import params, stage
from pipeline.watching import drift
data, code = Path("data.txt"), Path("helper.py")
def late(text=""):
    Path("late").write_text(text)
def raised(call, *arguments):
    try:
        call(*arguments)
    except OSError:
        pass
stage.run(lambda program: exec(program, globals()))
"""
FILES = {
    "versions.txt": "",
    "data.txt": "old",
    "helper.py": "value = 1\n",
    "params.yaml": "runs:\n  a: {lr: 0.1}\n  b: {lr: 0.1}\n",
    "program.py": PROGRAM,
}
EDIT_A, EDIT_B = (f"params.FILE.write_text(params.FILE.read_text().replace('{run}: {{lr: 0.1', '{run}: {{lr: 0.2'))"
                  for run in "ab")  # fmt: skip


@pytest.fixture
def run(tmp_path):
    """Run a program as a stage's ``main`` and return its error."""

    def run(program, *options):
        done = subprocess.run(
            [sys.executable, *options, "program.py", program],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(SOURCE)}, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == bool(done.stderr)
        return done.stderr

    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return run


@pytest.mark.parametrize(
    ("program", "changed"),
    [
        ("data.read_text(); data.write_text('new')", "data.txt"),
        ("data.read_text(); Path('new').write_text('new'); os.replace('new', data)", "data.txt"),
        ("data.read_text(); data.unlink()", "data.txt"),
        ("os.close(os.open(data, os.O_RDONLY)); data.write_text('new')", "data.txt"),
        ("drift.LARGEST_HASHED = 0; data.read_text(); os.utime(data, (1, 1))", "data.txt"),
        ("raised(open, 'late'); late(); Path('late').read_text(); late('2')", "late"),
        ("import helper; code.write_text('value = 2')", "helper.py"),
        ("data.read_text(); import helper; data.unlink(); code.unlink()", "data.txt, helper.py"),
        ("Path('program.py').write_text('')", "program.py"),
        ("params.read(); " + EDIT_B, "params.yaml"),
        ("params.at(params.read(), 'runs.a'); " + EDIT_A, "params.yaml: runs.a"),
        ("params.at(params.read(), 'runs.a'); params.FILE.write_text('runs: {}')", "params.yaml: runs.a"),
    ],
)
def test_what_was_read_and_has_changed_is_named(run, program, changed):
    error = run(program)
    assert error.startswith(f"error: {changed}: changed while this stage was using it") and error.count("\n") == 1


@pytest.mark.parametrize(
    "program",
    [
        "data.read_text()",
        "data.write_text('new')",
        "data.read_text(); os.utime(data, (1, 1)); data.write_text('new'); data.write_text('old')",
        "Path('made').write_text('by itself'); Path('made').read_text()",
        "Path('.x.1.partial').write_text(''); Path('.x.1.partial').read_text(); os.remove('.x.1.partial')",
        "os.makedirs('.git'); Path('.git/x').write_text(''); Path('.git/x').read_text(); os.remove('.git/x')",
        "os.path.exists('data.txt') and os.listdir('.'); data.unlink()",
        "params.at(params.read(), 'runs.a'); " + EDIT_B,
    ],
)
def test_anything_else_may_change(run, program):
    assert run(program) == ""


def test_a_module_loaded_from_its_cache_is_watched_too(run, tmp_path):
    py_compile.compile(str(tmp_path / "helper.py"))
    assert "helper.py: changed" in run("import helper; code.write_text('value = 2')")


def test_a_file_changed_between_import_and_start_is_noticed(run, tmp_path):
    edited = PROGRAM.replace("stage.run", "import helper\nos.utime(code)\nstage.run")
    (tmp_path / "program.py").write_text(edited)
    assert run("pass").startswith("error: helper.py: changed")


def test_a_file_outside_the_repository_is_not_watched(run, tmp_path):
    outside = tmp_path.parent / f"{tmp_path.name}.txt"
    outside.write_text("old")
    assert run(f"f = Path({str(outside)!r}); f.read_text(); f.write_text('new')") == ""


def test_a_failing_stage_tells_of_its_own_failure(run):
    assert run("data.read_text(); data.unlink(); raise ValueError('mine')") == "error: mine\n"
