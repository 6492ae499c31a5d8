"""Trainings that are killed again and again leave one run each, with every value once."""

import csv
import json
import random
import subprocess
import time

import pytest
from project import LINEAR, copy_project

pytestmark = pytest.mark.slow

MODELS, KILLS_EACH, EPOCHS = ("a", "b", "c", "d"), 5, 400
#: A kill comes within so many seconds after the training has told its first word.
SECONDS = 2.5
HEAD, FIRST, RUN = LINEAR.partition("  first:")
PARAMS = HEAD + "".join(
    f"{FIRST}{RUN}".replace("first", model).replace("epochs: 2", f"epochs: {EPOCHS}").replace("0.05", f"0.0{number}")
    for number, model in enumerate(MODELS, start=1)
)
ENVIRONMENT = {"PIPELINE_TRACKING": "on", "PIPELINE_CHECKPOINT_SECONDS": "0.1", "PYTHONPATH": "src"}


@pytest.fixture
def project(tmp_path):
    """A project with prepared data."""
    project = copy_project(tmp_path / "project", PARAMS)
    project.repro("preprocess@digits")
    return project


@pytest.fixture
def store(project, fresh):
    """That project, as far as tracking is concerned."""
    workspace = type(fresh)(project.root)
    yield workspace
    workspace.close()


def start(project, store, model):
    """Start a training; returns once it has told its first word."""
    before = set(store.journals())
    process = subprocess.Popen(
        ["python", "stages/train.py", model],
        cwd=project.root,
        env={**project.environment, **ENVIRONMENT},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while set(store.journals()) <= before and process.poll() is None:
        time.sleep(0.01)
    return process


def test_a_training_killed_at_random_moments_has_one_run_with_the_values_of_its_history(project, store):
    chance = random.Random(4)  # noqa: S311
    for model in MODELS:
        kills = 0
        while kills < KILLS_EACH:
            process = start(project, store, model)
            time.sleep(chance.uniform(0, SECONDS))
            kills += process.poll() is None
            process.kill()
            process.wait()
            if chance.random() < 0.5:
                store.kill_publishers()
        done = project.run("python", "stages/train.py", model, **ENVIRONMENT)
        assert "going on from the checkpoint" in done.stderr
    assert project.run("python", "-m", "pipeline.tracking.track", **ENVIRONMENT).stderr == ""

    for model in MODELS:
        folder = project.root / "outputs" / model
        run = store.run(json.loads((folder / "record.json").read_text(encoding="utf-8"))["input_key"])
        assert run["status"] == "FINISHED"
        with (folder / "history.csv").open(encoding="utf-8", newline="") as stream:
            rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(stream)]
        for name in rows[0].keys() - {"epoch"}:
            assert run["metrics"][name.replace("_", "/", 1)] == [(row["epoch"], row[name]) for row in rows]
        steps = [step for step, _ in run["metrics"]["system/examples_per_second"]]
        assert steps == list(range(1, EPOCHS + 1))
        assert {"model.safetensors", "history.csv", "record.json"} <= set(run["artifacts"])
    assert len(store.runs()) == len(MODELS)
    assert store.journals() == []
