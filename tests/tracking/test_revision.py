import json
import subprocess

import pytest
from project import LINEAR, Workspace, copy_project

from pipeline.tracking import revision

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """Two commits, of which each has another model; MLflow knows of none."""
    workspace = copy_project(tmp_path_factory.mktemp("revisions"), LINEAR)
    for lr in ("0.05", "0.06"):
        workspace.params.write_text(LINEAR.replace("0.05", lr), encoding="utf-8")
        workspace.repro("export@first", "evaluate@first")
        workspace.run("git", "add", "-A")
        workspace.run("git", "commit", "-qm", f"lr {lr}")
    return workspace


def track(workspace: Workspace, revision: str) -> subprocess.CompletedProcess[str]:
    return workspace.run("python", "-m", "pipeline.tracking.revision", revision, check=False, PYTHONPATH="src")


def record_md5(workspace: Workspace, revision: str) -> str:
    lock = workspace.run("git", "show", f"{revision}:dvc.lock").stdout
    return lock.split("path: outputs/first/record.json")[1].split("md5: ")[1].split()[0]


def test_the_models_of_a_commit_get_their_runs_and_the_workspace_stays(repository, fresh):
    before = repository.outputs()
    fresh.env["MLFLOW_TRACKING_URI"] = f"sqlite:///{repository.root}/mlruns/mlflow.db"
    sha = repository.run("git", "rev-parse", "HEAD~1").stdout.strip()
    digest = record_md5(repository, sha)
    record = repository.root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]
    key = json.loads(record.read_text(encoding="utf-8"))["input_key"]
    done = [track(repository, "HEAD~1") for _ in range(2)]

    assert [process.returncode for process in done] == [0, 0], done[0].stderr
    (run,) = fresh.runs(key)
    assert run["status"] == "FINISHED"
    assert run["params"]["train.optimizer.lr"] == "0.05"
    assert run["tags"]["mlflow.source.git.commit"] == sha
    assert {"test/accuracy", "train/loss", "val/accuracy"} <= run["metrics"].keys()
    assert {"model.safetensors", "model.ts", "metrics.json"} <= set(run["artifacts"])
    assert repository.outputs() == before
    assert repository.run("git", "status", "--porcelain").stdout == ""
    assert len(repository.run("git", "worktree", "list").stdout.splitlines()) == 1


def test_an_unknown_revision_is_one_error(repository):
    done = track(repository, "no-such-commit")

    assert done.returncode == 1
    assert done.stderr.startswith("error: `git rev-parse"), done.stderr
    assert "Traceback" not in done.stderr


def test_an_option_is_no_revision(repository):
    done = track(repository, "--force")

    assert done.returncode == 2
    assert done.stderr.startswith("usage: make track REV=<commit>\n"), done.stderr


def test_outputs_that_no_cache_has_are_named(repository):
    digest = record_md5(repository, "HEAD")
    file = repository.root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]
    file.unlink()
    done = track(repository, "HEAD")

    assert done.returncode == 1
    assert "error: first: not in DVC's cache" in done.stderr


def test_a_run_that_the_revision_no_longer_has_is_not_missed(repository):
    repository.replace("params.yaml", "  first:", "  second:")
    repository.run("git", "commit", "-qam", "another name")
    done = track(repository, "HEAD")

    assert (done.returncode, done.stderr) == (0, "")


def test_a_run_that_is_called_like_another_stage_is_not_taken_for_trained(tmp_path):
    (tmp_path / "params.yaml").write_text("runs: {check: {}, first: {}}\n", encoding="utf-8")
    (tmp_path / "dvc.lock").write_text("stages: {check: {}, train@first: {}}\n", encoding="utf-8")

    assert revision._runs(tmp_path) == {"first"}
