"""Trainings that are ended from outside, and pipelines that get in each other's way."""

import os
import re
import signal
import time

import psutil
import pytest

pytestmark = pytest.mark.slow

LONGER = ("epochs: 2\n      batch_size: 50", "epochs: 40\n      batch_size: 20")


@pytest.fixture
def longer(workspace):
    """A workspace with a LeNet to train for some seconds."""
    workspace.replace("params.yaml", *LONGER)
    return workspace


@pytest.fixture(scope="module")
def expected(reproduced, tmp_path_factory):
    """The outputs of that training when nothing disturbs it."""
    workspace = reproduced.copy(tmp_path_factory.mktemp("expected") / "project")
    workspace.replace("params.yaml", *LONGER)
    workspace.repro("train@lenet")
    return workspace.outputs()


def training(workspace, after_seconds, run="lenet"):
    """The id of the training process, once it has written a checkpoint and gone on for a while."""
    deadline = time.monotonic() + 60
    while not list((workspace.root / ".pipeline/checkpoints").rglob("*.pt")):
        assert time.monotonic() < deadline, "no checkpoint within a minute"
        time.sleep(0.05)
    time.sleep(after_seconds)
    (found,) = [
        process.pid
        for process in psutil.process_iter(["cmdline", "cwd"])
        if process.info["cwd"] == str(workspace.root) and process.info["cmdline"][1:] == ["stages/train.py", run]
    ]
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_last_step_is_kept_and_named(longer, expected, number):
    # As a terminal's Ctrl-C, which reaches DVC too, and as the kill of the training alone.
    process = longer.start("dvc", "repro", "train@lenet", PIPELINE_CHECKPOINT_SECONDS="0.5")
    found = training(longer, after_seconds=0.2)
    os.killpg(process.pid, number) if number == signal.SIGINT else os.kill(found, number)
    _, said = process.communicate(timeout=60)

    assert process.returncode != 0
    kept = re.search(r"lenet: the checkpoint of step (\d+) is kept, and `dvc repro` goes on from it", said)
    assert kept, said
    again = longer.run("dvc", "repro", "train@lenet")
    assert f"lenet: going on from the checkpoint at step {kept[1]} of" in again.stderr
    assert longer.outputs() == expected


def test_a_training_killed_for_its_memory_goes_on_at_its_last_checkpoint(longer, expected):
    process = longer.start("dvc", "repro", "train@lenet", PIPELINE_CHECKPOINT_SECONDS="0")
    os.kill(training(longer, after_seconds=0.5), signal.SIGKILL)  # what the kernel does, and to the training alone
    process.communicate(timeout=60)

    assert process.returncode != 0
    assert "lenet: going on from the checkpoint at step" in longer.run("dvc", "repro", "train@lenet").stderr
    assert longer.outputs() == expected


def test_two_networks_that_learn_in_turn_go_on_where_they_were_killed(workspace, tmp_path):
    workspace.replace(
        "params.yaml",
        "epochs: 2\n      batch_size: 100\n      optimizer: {name: adam, lr: 0.001}",
        "epochs: 8\n      batch_size: 10\n      optimizer: {name: adam, lr: 0.001}",
    )
    undisturbed = workspace.copy(tmp_path / "undisturbed")
    undisturbed.repro("train@gan")
    process = workspace.start("dvc", "repro", "train@gan", PIPELINE_CHECKPOINT_SECONDS="0")
    os.kill(training(workspace, 0.5, "gan"), signal.SIGKILL)
    process.communicate(timeout=60)

    assert process.returncode != 0
    assert "gan: going on from the checkpoint at step" in workspace.run("dvc", "repro", "train@gan").stderr
    assert workspace.outputs() == undisturbed.outputs()


def test_a_full_disk_costs_no_outputs(longer, expected):
    before = longer.outputs()
    command = f"ulimit -f 100; {longer.lock()['train@lenet']['cmd']}"  # files of at most 100 KiB
    failed = longer.run("bash", "-c", command, check=False, PIPELINE_CHECKPOINT_SECONDS="0.5")

    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    assert "warning: no checkpoint at step" in failed.stderr
    assert re.search("^error: .*model.safetensors", failed.stderr, re.MULTILINE), failed.stderr
    assert longer.outputs() == before
    longer.repro("train@lenet")
    assert longer.outputs() == expected


def test_two_pipelines_at_once_break_nothing(longer, expected):
    both = [longer.start("dvc", "repro", "train@lenet") for _ in range(2)]
    said = [process.communicate(timeout=120)[1] for process in both]

    for process, text in zip(both, said, strict=True):
        assert process.returncode == 0 or "is busy" in text or "Unable to acquire lock" in text, text
    assert any(process.returncode == 0 for process in both), said
    longer.repro("train@lenet")
    assert longer.outputs() == expected
    assert "train@lenet" not in longer.run("dvc", "status", "--json").stdout
