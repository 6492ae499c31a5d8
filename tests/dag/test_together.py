"""Training by several processes: the same DAG, one record, no process left behind."""

import csv
import io
import os
import re
import signal
import time

import psutil
import pytest
from project import LINEAR, copy_project

pytestmark = pytest.mark.slow

TWO = {"PIPELINE_LAUNCH": "--nproc-per-node 2"}


@pytest.fixture
def workspace(tmp_path):
    return copy_project(tmp_path / "project", LINEAR)


def history(workspace):
    return [*csv.DictReader(io.StringIO((workspace.root / "outputs/first/history.csv").read_text()))]


def children(process):
    """The processes that train, the first of torchrun's first."""
    found = psutil.Process(process.pid).children(recursive=True)
    return [child for child in found if "LOCAL_RANK" in child.environ()]


def until_epoch(process, number):
    said = ""
    while f"first  epoch {number}/" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line


def test_two_processes_end_in_the_same_bytes_each_time_and_nearly_in_those_of_one(workspace, tmp_path):
    other = workspace.copy(tmp_path / "other")
    assert "train@first" in workspace.repro(**TWO)
    other.repro(**TWO)
    assert workspace.outputs() == other.outputs() and workspace.lock() == other.lock()
    together = history(workspace)
    other.run("dvc", "repro", "--force", "--single-item", "train@first")
    for row, alone in zip(together, history(other), strict=True):
        for name, value in row.items():
            assert float(value) == pytest.approx(float(alone[name]), rel=1e-4), name
    assert workspace.repro() == set()  # how many processes there are decides over nothing


def test_a_killed_process_ends_the_stage_and_one_alone_goes_on(workspace):
    workspace.replace("params.yaml", "epochs: 2", "epochs: 300")
    workspace.repro("preprocess@digits")
    process = workspace.start("dvc", "repro", "train@first", PIPELINE_CHECKPOINT_SECONDS="0", **TWO)
    until_epoch(process, 3)
    started, begun = children(process), time.monotonic()
    assert len(started) == 2
    started[1].kill()
    said = process.communicate(timeout=60)[1]
    assert process.returncode != 0 and time.monotonic() - begun < 30
    assert "error: process 1 of the training ended first, with signal 9" in said and "Traceback" not in said
    assert psutil.wait_procs(started, timeout=10)[1] == []
    finished = workspace.run("dvc", "repro", "train@first").stderr
    assert re.search(r"first: going on from the checkpoint at step \d+ of \d+", finished)
    assert "warning: trained on 2 x cpu, then cpu: other bytes than on one of them" in finished
    assert len(history(workspace)) == 300


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_what_ends_torchrun_keeps_a_checkpoint_and_leaves_no_process(workspace, number):
    workspace.replace("params.yaml", "epochs: 2", "epochs: 100000")
    workspace.repro("preprocess@digits")
    process = workspace.start("python", "stages/train.py", "first", PYTHONPATH="src", **TWO)
    until_epoch(process, 3)
    started = children(process)
    os.kill(process.pid, number)
    assert "first: the checkpoint of step" in process.communicate(timeout=60)[1]
    assert psutil.wait_procs(started, timeout=10)[1] == []


def test_arguments_that_torchrun_doesnt_know_are_refused_at_once(workspace):
    workspace.repro("preprocess@digits")
    refused = workspace.run("dvc", "repro", "train@first", check=False, PIPELINE_LAUNCH="--processes 2")
    assert refused.returncode != 0
    assert "error: PIPELINE_LAUNCH=--processes 2 are no arguments of torchrun: " in refused.stderr
