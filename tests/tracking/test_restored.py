"""Models that no stage trained here: DVC restored, pulled or checked them out, and MLflow has never heard of them."""

import shutil

import pytest
from project import Workspace, copy_project

pytestmark = pytest.mark.slow

PARAMS = """\
seed: 1
num_threads: 1
datasets:
  digits: {kind: digits, path: data/digits.md5, image_size: 12}
  diabetes: {kind: diabetes, path: data/diabetes.md5}
comparisons: {}
runs:
  lenet:
    task: classification
    dataset: digits
    model: {name: lenet}
    train: {epochs: 2, batch_size: 50, optimizer: {name: sgd, lr: 0.05}, loss: {name: cross_entropy}}
    evaluate: {batch_size: 1000}
    export: {batch_size: 500}
  diabetes:
    task: regression
    dataset: diabetes
    model: {name: linear}
    train: {epochs: 2, batch_size: 50, optimizer: {name: sgd, lr: 0.01}, loss: {name: mse}}
    evaluate: {batch_size: 1000}
    export: {batch_size: 500}
"""
TRACK = ("python", "-m", "pipeline.tracking.track")
#: What only the process that trained can know.
OF_THE_PROCESS = (
    "device",
    "trained_on",
    "DVC_STAGE",
    "git.dirty",
    "mlflow.user",
    "mlflow.runColor",
    "version.python",
    "mlflow.note.content",
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Two commits of a workspace whose runs were recorded while they trained."""
    workspace = copy_project(tmp_path_factory.mktemp("trained"), PARAMS)
    for lr in ("0.05", "0.06"):
        workspace.params.write_text(PARAMS.replace("0.05", lr), encoding="utf-8")
        workspace.run("git", "commit", "-qam", f"lr {lr}", "--allow-empty")
        workspace.repro(PIPELINE_TRACKING="on")
        workspace.run("git", "add", "-A")
        workspace.run("git", "commit", "-qm", "dvc.lock")
    workspace.run(*TRACK, PYTHONPATH="src")
    return workspace


def clone(trained: Workspace, target, reader) -> Workspace:
    """A clone without data, outputs or MLflow store, whose remote is the cache of ``trained``; ``reader`` reads it."""
    trained.run("git", "clone", "-q", str(trained.root), str(target))
    workspace = Workspace(target)
    workspace.run("dvc", "remote", "add", "-d", "here", str(trained.root / ".dvc/cache"))
    reader.env["MLFLOW_TRACKING_URI"] = f"sqlite:///{target}/mlruns/mlflow.db"
    return workspace


def runs(reader) -> list[dict]:
    """Every run of a store, without what tells where and when it was recorded."""
    found = reader.runs()
    for run in found:
        of_the_machine = [name for name in run["metrics"] if name.startswith("system/")]
        for name in of_the_machine:
            del run["metrics"][name]
        run["tags"] = {
            name: value
            for name, value in run["tags"].items()
            if name not in OF_THE_PROCESS and name != "mlflow.source.git.commit"
        }
    return sorted(found, key=lambda run: (run["tags"]["pipeline.run"], run["params"]["train.optimizer.lr"]))


def test_pulled_models_get_the_run_that_their_training_had(trained, fresh, tmp_path):
    fresh.env["MLFLOW_TRACKING_URI"] = f"sqlite:///{trained.root}/mlruns/mlflow.db"
    live = runs(fresh)
    workspace = clone(trained, tmp_path / "clone", fresh)
    workspace.run("dvc", "pull", "-q")

    assert workspace.repro(PIPELINE_TRACKING="on") == set()
    for _ in range(2):
        workspace.run(*TRACK, PYTHONPATH="src")

    assert [run["name"].split(" ·")[0] for run in live] == ["diabetes", "lenet", "lenet"]
    assert runs(fresh) == [run for run in live if run["params"]["train.optimizer.lr"] != "0.05"]


def test_an_older_commit_checked_out_gets_its_runs_beside_the_others(trained, fresh, tmp_path):
    workspace = clone(trained, tmp_path / "clone", fresh)
    for revision in ("main", "main~2"):
        workspace.run("git", "checkout", "-q", revision)
        workspace.run("dvc", "pull", "-q")
        workspace.run(*TRACK, PYTHONPATH="src")

    found = runs(fresh)
    assert [(run["params"]["train.optimizer.lr"], run["status"]) for run in found] == [
        ("0.01", "FINISHED"),
        ("0.05", "FINISHED"),
        ("0.06", "FINISHED"),
    ]
    assert all({"train/loss", "val/loss", "test/rmse", "test/num_examples"} <= run["metrics"].keys() for run in found)
    assert all(run["data"].keys() == {"train", "val", "test"} for run in found)
    assert all({"dvc.lock", "model.safetensors", "model.ts", "plots"} <= set(run["artifacts"]) for run in found)


def test_what_the_run_cache_restores_gets_its_run_without_being_asked(trained, fresh, tmp_path, until):
    workspace = trained.copy(tmp_path / "copy")
    shutil.rmtree(workspace.root / "mlruns")
    fresh.env["MLFLOW_TRACKING_URI"] = f"sqlite:///{workspace.root}/mlruns/mlflow.db"
    # The run cache has LeNet's stages of the first commit; of the regression, one stage will really run.
    head, _, tail = PARAMS.rpartition("1000")
    workspace.params.write_text(f"{head}999{tail}", encoding="utf-8")

    ran = workspace.repro(PIPELINE_TRACKING="on")

    assert ran == {"check", "evaluate@diabetes"}
    until(lambda: [run["status"] for run in fresh.runs()] == ["FINISHED", "FINISHED"])
