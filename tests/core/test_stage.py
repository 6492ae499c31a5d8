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
        ([], "usage: python -c NAME, as dvc.yaml calls it\n"),
    ],
)
def test_an_error_is_one_line_without_a_traceback(start, arguments, expected):
    process = start(*arguments)
    assert process.communicate()[1] == expected and process.returncode == 1


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
