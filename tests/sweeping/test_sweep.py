"""Sweeps by the real DVC with a real store; the trainings take two epochs of the embedded digits."""

import warnings

import pytest
import queue_workers
from project import LINEAR, copy_project

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A commit with a complete model, so that its evaluation lies beside those trained by the sweep."""
    workspace = copy_project(tmp_path_factory.mktemp("sweeps"), LINEAR)
    workspace.repro("export@first", "evaluate@first")
    workspace.run("git", "add", "-A")
    workspace.run("git", "commit", "-qm", "model")
    yield workspace
    queue_workers.end(workspace)
    assert queue_workers.processes(workspace) == []


def sweep(repository, *arguments, store="mlflow"):
    command = ("python", "-m", "pipeline.sweeping.sweep", "first", *arguments)
    environment = {"PYTHONPATH": "src", "PIPELINE_TRACKING": "", "MLFLOW_TRACKING_URI": uri(repository, store)}
    return repository.run(*command, check=False, **environment)


def uri(repository, store):
    return f"sqlite:///{repository.root}/mlruns/{store}.db"


def family(repository, name, store="mlflow"):
    """The one parent run of a sweep and its children."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, of what it uses of SQLAlchemy and others
        from mlflow import MlflowClient

        client = MlflowClient(uri(repository, store))
        runs = client.search_runs([e.experiment_id for e in client.search_experiments()])
    (parent,) = [run for run in runs if run.data.tags.get("pipeline.sweep") == name]
    return parent, [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]


def tasks(repository):
    return repository.run("dvc", "queue", "status").stdout.count(" Success")


def test_a_grid_with_a_failure_and_the_same_again_for_an_empty_store(repository):
    done = sweep(repository, "train.optimizer.lr=0.01,0.1,1e300", "--jobs", "2", "--sweep", "rates")

    assert done.returncode == 1
    assert "lower train.optimizer.lr (=1e+300)" in done.stderr.splitlines()[-1] and "Traceback" not in done.stderr
    assert "best: val_loss" in done.stdout and "with train.optimizer.lr=0.1" in done.stdout
    parent, children = family(repository, "rates")
    assert parent.info.status == "FAILED"
    assert parent.data.tags["sweep.failed"].startswith("rates-")
    assert {child.data.params["train.optimizer.lr"] for child in children} == {"0.01", "0.1"}
    assert parent.data.metrics["best/val/loss"] == min(float(run.data.tags["sweep.value"]) for run in children)
    assert {child.info.status for child in children} == {"FINISHED"}

    before = tasks(repository)
    again = sweep(repository, "train.optimizer.lr=0.01,0.1", "--sweep", "rates", store="empty")

    assert again.returncode == 0, again.stderr
    assert tasks(repository) == before, "experiments that exist were run again"
    parent, children = family(repository, "rates", store="empty")
    assert parent.info.status == "FINISHED"
    assert parent.data.tags["sweep.best"] == "train.optimizer.lr=0.1"
    assert len(children) == 2
    # The commit of an experiment still holds the evaluation and export of the model that it began from.
    assert not any(name.startswith("test/") for child in children for name in child.data.metrics)
    assert not any("model.ts" in child.data.tags["pipeline.artifacts"] for child in children)
    assert repository.run("git", "status", "--porcelain").stdout == ""


def test_a_search_goes_on_where_it_ended(repository):
    arguments = ("train.optimizer.lr=0.001..0.1:log", "--metric", "val_accuracy", "--trials")
    first = sweep(repository, *arguments, "1")
    before = tasks(repository)
    more = sweep(repository, *arguments, "2")

    assert (first.returncode, more.returncode) == (0, 0), first.stderr + more.stderr
    assert first.stdout.splitlines()[0].replace("1/1", "1/2") == more.stdout.splitlines()[0]
    assert tasks(repository) == before + 1
    parent, children = family(repository, "first-search")
    assert len(children) == 2
    assert parent.data.metrics["best/val/accuracy"] == max(float(run.data.tags["sweep.value"]) for run in children)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([""], "nothing to try"),
        (["train.optimizer.lrr=1"], "did you mean 'lr'"),
        (["train.epochs=1", "--metric", "test_accuracy"], "did you mean 'val_accuracy'"),
        (["train.epochs=1", "--sweep", "My Sweep"], "small letters"),
    ],
)
def test_mistakes_are_one_error_before_anything_is_queued(repository, arguments, message):
    before = repository.run("dvc", "queue", "status").stdout
    done = sweep(repository, *arguments)

    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and message in done.stderr
    assert "Traceback" not in done.stderr
    assert repository.run("dvc", "queue", "status").stdout == before
