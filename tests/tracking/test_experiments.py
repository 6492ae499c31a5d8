"""DVC's experiments work in copies of the repository, and record into the one store of the real one."""

import pytest
import queue_workers
from project import LINEAR, copy_project

pytestmark = pytest.mark.slow

LR, BATCH_SIZE = "runs.first.train.optimizer.lr", "runs.first.train.batch_size"
#: Without the stages before them, which have run: checking would import PyTorch once more for each experiment.
TARGETS = ("--single-item", "train@first", "evaluate@first")
#: 24 were tried by hand, and took four workers 26 minutes on two busy cores.
NUM_WORKERS, NUM_EXPERIMENTS = 4, 8


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A commit with prepared data, in which no model was trained."""
    workspace = copy_project(tmp_path_factory.mktemp("experiments"), LINEAR)
    workspace.repro("preprocess@digits")
    workspace.run("git", "add", "-A")
    workspace.run("git", "commit", "-qm", "data")
    yield workspace
    queue_workers.end(workspace)
    assert queue_workers.processes(workspace) == []


@pytest.fixture
def runs(repository, fresh):
    """Name of the experiment -> its run in the repository's store."""

    def read():
        from mlflow import MlflowClient

        fresh.env["MLFLOW_TRACKING_URI"] = uri = f"sqlite:///{repository.root}/mlruns/mlflow.db"
        client = MlflowClient(uri)
        keys = [
            run.data.tags["pipeline.input_key"]
            for run in client.search_runs([e.experiment_id for e in client.search_experiments()])
        ]
        found = [fresh.run(key) for key in keys]
        assert len({run["tags"]["DVC_EXP_NAME"] for run in found}) == len(found)
        return {run["tags"]["DVC_EXP_NAME"]: run for run in found}

    return read


def is_complete(run):
    metrics = run["metrics"]
    steps = [[step for step, _ in metrics[name]] for name in ("train/loss", "val/loss", "val/accuracy")]
    return run["status"] == "FINISHED" and steps == [[1, 2]] * 3 and "test/accuracy" in metrics


@pytest.mark.filterwarnings("ignore::Warning")  # MLflow's own, of what it uses of SQLAlchemy and others
def test_experiments_here_in_a_copy_and_from_four_workers_are_one_run_each(repository, runs):
    baseline = repository.run("git", "rev-parse", "HEAD").stdout.strip()
    run = ("dvc", "exp", "run")
    repository.run(*run, "--name", "here", "--set-param", f"{LR}=0.01", *TARGETS, PIPELINE_TRACKING="")
    repository.run("git", "checkout", "--force", ".")
    repository.run(*run, "--temp", "--name", "there", "--set-param", f"{LR}=0.02", *TARGETS, PIPELINE_TRACKING="")
    rates = ",".join(str(number / 10) for number in range(1, NUM_EXPERIMENTS // 2 + 1))
    grid = ("--set-param", f"{LR}={rates}", "--set-param", f"{BATCH_SIZE}=40,60")
    repository.run(*run, "--queue", "--name", "queued", *grid, *TARGETS, PIPELINE_TRACKING="")
    repository.run("dvc", "queue", "start", "--jobs", str(NUM_WORKERS), PIPELINE_TRACKING="")

    outcomes = queue_workers.wait(repository, seconds=3600)

    said = "".join(file.read_text(encoding="utf-8") for file in repository.root.glob(".dvc/tmp/exps/run/*/*.out"))
    assert outcomes == ["Success"] * NUM_EXPERIMENTS, said
    repository.run("python", "-m", "pipeline.tracking.track", PYTHONPATH="src", PIPELINE_TRACKING="")
    found = runs()
    assert found.keys() == {"here", "there", *(f"queued-{number + 1}" for number in range(NUM_EXPERIMENTS))}
    assert [name for name, run in found.items() if not is_complete(run)] == []
    assert {run["tags"]["DVC_EXP_BASELINE_REV"] for run in found.values()} == {baseline}
    assert list(repository.root.glob(".pipeline/tracking/*.jsonl")) == []
    assert "warning: " not in said
    assert "lock" not in said.replace("Updating lock file 'dvc.lock'", "").lower()
    assert list(repository.root.glob(".dvc/tmp/exps/**/mlflow.db")) == []
