"""Whole pipelines that send their runs to the team's server at once: eight, and some that lose it meanwhile."""

import csv
import json
import shutil
import time

import pytest
from project import LINEAR, copy_project

from pipeline.tracking import projection

# MLflow warns of what it uses of others.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::Warning")]

NUM_PIPELINES, NUM_OF_OUTAGE = 8, 3
#: Seconds without a server.
OUTAGE = 5


def publisher_ends(workspace):
    shutil.rmtree(workspace.root / ".pipeline", ignore_errors=True)


def outputs(workspace, run):
    """Each file of a run's outputs as it should be among its artifacts."""
    folder = workspace.root / "outputs" / run
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def assert_complete(found, workspace, name):
    """An MLflow run has all that lies beside the model, with the same bytes."""
    folder = workspace.root / "outputs" / name
    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    with (folder / "history.csv").open(encoding="utf-8", newline="") as stream:
        rows = [{column: float(value) for column, value in row.items()} for row in csv.DictReader(stream)]

    assert found["status"] == "FINISHED"
    assert found["tags"]["pipeline.model_md5"] == record["model_md5"]
    assert found["params"].items() >= projection.params(record).items()
    for column in rows[0].keys() - {"epoch"}:
        assert found["metrics"][column.replace("_", "/", 1)] == [(row["epoch"], row[column]) for row in rows]
    for metric, value in json.loads((folder / "metrics.json").read_text(encoding="utf-8")).items():
        assert found["metrics"][f"test/{metric}"] == [(0, pytest.approx(value))]
    assert [split for split, _ in found["data"]] == ["test", "train", "val"]
    texts = {"dvc.lock", "changes.patch"}
    assert {path: content for path, content in found["artifacts"].items() if path not in texts} == outputs(
        workspace, name
    )


@pytest.fixture(scope="module")
def workspaces(tmp_path_factory):
    """Eight people's copies of the project, of which each trains another model."""
    root = tmp_path_factory.mktemp("pipelines")
    first = copy_project(root / "1", LINEAR)
    first.repro("download@digits")
    made = [first, *(first.copy(root / str(number)) for number in range(2, NUM_PIPELINES + 1))]
    for number, workspace in enumerate(made, start=1):
        workspace.params.write_text(
            LINEAR.replace("seed: 1", f"seed: {number}").replace("first:", f"run{number}:"), encoding="utf-8"
        )
    yield made
    for workspace in made:
        publisher_ends(workspace)


@pytest.fixture(scope="module")
def login(server):
    return {"PIPELINE_TRACKING": "on", "PYTHONPATH": "src", **server.join("anna")}


def repro(workspaces, login, *targets):
    """`dvc repro` in each at once; the processes."""
    return [
        workspace.start("dvc", "repro", *(target.format(number) for target in targets), **login)
        for number, workspace in enumerate(workspaces, start=1)
    ]


def end(running):
    """What each has said on standard error."""
    said = [process.communicate(timeout=1500)[1] for process in running]
    assert [process.returncode for process in running] == [0] * len(running), said
    return said


def assert_all_complete(server, workspaces, login, **params):
    for workspace in workspaces:
        assert workspace.run("python", "-m", "pipeline.tracking.track", **login).stderr == ""
        assert list(workspace.root.glob(".pipeline/tracking/*.jsonl")) == []
    found = [run for run in server.runs() if run["params"].items() >= params.items()]
    assert len(found) == len(workspaces)
    runs = {run["tags"]["pipeline.run"]: run for run in found}
    for number, workspace in enumerate(workspaces, start=1):
        assert_complete(runs[f"run{number}"], workspace, f"run{number}")


def test_eight_pipelines_at_once_lose_nothing(server, workspaces, login):
    end(repro(workspaces, login))

    assert_all_complete(server, workspaces, login, **{"train.optimizer.lr": "0.05"})


def test_pipelines_lose_nothing_when_all_of_the_server_is_killed_meanwhile(server, workspaces, login):
    workspaces = workspaces[:NUM_OF_OUTAGE]
    for number, workspace in enumerate(workspaces, start=1):
        workspace.replace("params.yaml", "lr: 0.05", "lr: 0.06")
        for name in ("export.json", "model.ts", "model.pt2"):  # of the model before, and not made again
            (workspace.root / "outputs" / f"run{number}" / name).unlink(missing_ok=True)
    running = repro(workspaces, login, "evaluate@run{}")
    client = server.client()
    while not client.search_runs(["1"], "params.`train.optimizer.lr` = '0.06' AND attributes.status = 'FINISHED'"):
        assert any(process.poll() is None for process in running)
        time.sleep(0.2)
    server.kill()
    time.sleep(OUTAGE)
    server.start()

    said = end(running)

    assert any("warning: " in text for text in said)  # else the outage was of no consequence
    assert_all_complete(server, workspaces, login, **{"train.optimizer.lr": "0.06"})
