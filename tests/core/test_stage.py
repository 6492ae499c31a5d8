import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """\
import os, sys, time
from pipeline.core import stage
def main(name):
    if name == "sleep":
        print("ready", flush=True)
        time.sleep(60)
    if name == "full":
        raise OSError(28, "No space left on device", "outputs/a")
    if name == "broken":
        assert False, "an invariant"
    raise ValueError(f"runs.{name}: the key is missing")
stage.run(main)
"""


@pytest.fixture
def start():
    def start(*arguments):
        environment = {**os.environ, "PYTHONPATH": "src"}
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments], env=environment, stdout=-1, stderr=-1, text=True
        )

    return start


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["a"], "error: runs.a: the key is missing\n"),
        (["full"], "error: [Errno 28] No space left on device: 'outputs/a'\n"),
    ],
)
def test_an_error_is_one_line_without_a_traceback(start, arguments, expected):
    process = start(*arguments)
    assert process.communicate()[1] == expected and process.returncode == 1


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["--unknown", "a"]])
def test_wrong_arguments_show_the_usage(start, arguments):
    process = start(*arguments)
    assert process.communicate()[1].startswith("usage: python -c [-h] NAME\n") and process.returncode == 2


@pytest.mark.parametrize(("shows_progress", "expected"), [("False", "-c a: at work ()\n"), ("True", "")])
def test_a_stage_that_takes_long_says_so_once(shows_progress, expected):
    program = f"stage.PATIENCE = 0.1\nstage.run(lambda name: time.sleep(0.5), shows_progress={shows_progress})"
    program = PROGRAM.replace("stage.run(main)", program)
    environment = {**os.environ, "PYTHONPATH": "src"}
    done = subprocess.run([sys.executable, "-c", program, "a"], env=environment, capture_output=True, text=True)
    assert (done.stderr, done.returncode) == (expected, 0)


def test_a_mistake_of_ours_shows_its_traceback(start):
    process = start("broken")
    assert "Traceback" in process.communicate()[1] and process.returncode == 1


def test_ctrl_c_says_how_to_go_on(start):
    process = start("sleep")
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert "`dvc repro` goes on" in process.communicate(timeout=60)[1] and process.returncode == 130


def test_other_library_versions_are_refused(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(Path("src").resolve())}
    (tmp_path / "versions.txt").write_text("numpy==0.1\n")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "a"], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stderr.startswith("error: versions.txt: numpy should be 0.1") and done.returncode == 1
