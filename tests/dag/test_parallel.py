"""Several stages at a time end in what one after the other ends in."""

import os
import re
import shutil
import signal
import sys
import time

import pytest
from project import LINEAR, copy_project

pytestmark = pytest.mark.slow

SECOND = LINEAR[LINEAR.index("  first:") :].replace("  first:", "  second:").replace("lr: 0.05", "lr: 0.1")
PARALLEL = (sys.executable, "-m", "pipeline.parallel")


@pytest.fixture
def two(tmp_path):
    """A project of two runs of which nothing has been made."""
    return copy_project(tmp_path / "project", LINEAR + SECOND)


def forget(workspace):
    """Remove all that was made, and what DVC could restore it from."""
    for name in ("outputs", "data/raw", "data/processed", ".dvc/cache", ".dvc/tmp"):
        shutil.rmtree(workspace.root / name)
    for name in ("dvc.lock", "data/checked.txt"):
        (workspace.root / name).unlink()


def test_the_lock_and_every_byte_are_those_of_a_serial_run(two):
    two.repro()
    lock, outputs = two.lock(), two.outputs()
    forget(two)
    said = two.run(*PARALLEL, "2", PYTHONPATH="src").stdout
    assert "Running stage 'train@second'" in said
    assert two.lock() == lock and two.outputs() == outputs
    assert two.repro() == set()
    again = two.run(*PARALLEL, "2", PYTHONPATH="src")
    assert (again.stdout, again.stderr) == ("", "")


def test_a_stage_that_fails_ends_it_and_keeps_what_is_finished(two):
    two.replace("params.yaml", "lr: 0.1}", "lr: 1.0e+38}")  # of the second run
    failed = two.run(*PARALLEL, "2", check=False, PYTHONPATH="src")
    assert failed.returncode == 1 and "error: failed to reproduce 'train@second'" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert "train@second" not in two.lock() and "train@first" in two.lock()
    two.replace("params.yaml", "lr: 1.0e+38}", "lr: 0.1}")
    assert "train@first" not in two.repro()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_stops_it_reaches_the_stages(two, number):
    for _ in range(2):  # runs
        two.replace("params.yaml", "epochs: 2", "epochs: 100000")
    process = two.start(*PARALLEL, "2", PYTHONPATH="src")
    deadline = time.monotonic() + 120
    waiting = {"first", "second"}
    assert process.stderr is not None
    while waiting:  # both train, at the same time
        waiting.discard(process.stderr.readline().partition("  epoch ")[0])
        assert time.monotonic() < deadline and process.poll() is None
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    kept = re.findall("^(first|second): the checkpoint of step .* is kept", said, flags=re.MULTILINE)
    assert sorted(kept) == ["first", "second"], said
    assert "Traceback" not in said


@pytest.mark.parametrize("jobs", ["0", "two", "-1"])
def test_a_wrong_number_is_refused(two, jobs):
    refused = two.run(*PARALLEL, jobs, check=False, PYTHONPATH="src")
    assert refused.returncode == 1 and f"error: JOBS={jobs}: a number of stages from 1 is needed" in refused.stderr
