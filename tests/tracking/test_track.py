import fcntl
import json
import shutil
import subprocess
import sys

import pytest

from pipeline.core import files


def put_model(workspace, key, accuracy=0.5):
    """What `dvc pull` brings."""
    folder = workspace.root / "outputs" / "lenet"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_text("weights")
    (folder / "history.csv").write_text("epoch,train_loss,val_accuracy\n1,0.5,0.25\n2,0.25,0.5\n")
    (folder / "metrics.json").write_text(json.dumps({"accuracy": accuracy}))
    (folder / "plots").mkdir(exist_ok=True)
    (folder / "plots" / "roc.csv").write_text("x,y\n")
    evaluation = {
        "model_md5": files.md5(folder / "model.safetensors"),
        "options": {"batch_size": 1000},
        "data": {"data/processed/digits/test.safetensors": "3" * 32},
    }
    (folder / "evaluation.json").write_text(json.dumps(evaluation))
    record = {
        "run": "lenet",
        "task": "classification",
        "dataset": "digits",
        "input_key": key,
        "model_md5": files.md5(folder / "model.safetensors"),
        "params": {"seed": 42, "train.optimizer.lr": 0.05},
        "data": {"data/processed/digits/train.safetensors": "1" * 32},
        "versions": ["torch==2.14.1"],
        "counts": {"train": 1000, "val": 100, "test": 50},
        "num_parameters": 61706,
    }
    (folder / "record.json").write_text(json.dumps(record))
    return folder


@pytest.mark.slow
def test_processes_that_create_the_store_at_once_give_a_model_one_complete_run(fresh, key):
    put_model(fresh, key)

    command = [sys.executable, "-m", "pipeline.tracking.track"]
    pipe = subprocess.PIPE
    both = [subprocess.Popen(command, cwd=fresh.root, env=fresh.env, stderr=pipe, text=True) for _ in range(2)]
    errors = [process.communicate(timeout=120)[1] for process in both]

    assert [process.returncode for process in both] == [0, 0], errors
    run = fresh.run(key)
    assert run["status"] == "FINISHED"
    assert run["metrics"] == {
        "train/loss": [(1, 0.5), (2, 0.25)],
        "val/accuracy": [(1, 0.25), (2, 0.5)],
        "test/accuracy": [(0, 0.5)],
    }
    assert run["data"] == {"train": ("digits", "1" * 32), "test": ("digits", "3" * 32)}
    assert run["artifacts"] == [
        "evaluation.json", "history.csv", "metrics.json", "model.safetensors", "plots", "record.json",
    ]  # fmt: skip


def test_a_fresh_checkout_needs_no_store(fresh):
    done = fresh.track()

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(fresh.root.iterdir()) == []


@pytest.mark.slow
def test_journals_that_a_power_cut_left_are_published_or_deleted(fresh, shared, key):
    fresh.env["MLFLOW_TRACKING_URI"] = shared.uri  # saves creating a store
    outputs, folder = put_model(fresh, key), fresh.root / ".pipeline" / "tracking"
    record = json.loads((outputs / "record.json").read_text())
    shutil.rmtree(outputs)
    folder.mkdir(parents=True)
    for number, content in enumerate(("", '{"kind": "sta')):
        (folder / f"{key}-{number}-train-1.store.jsonl").write_text(content)
    dead = folder / f"{key}-2-train-1.store.jsonl"
    dead.write_text(json.dumps({"kind": "start", "at": 1, "stage": "train", "record": record, "tags": {}}) + "\n")

    with dead.open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)  # a publisher that looks whether the stage lives, which takes no time
        done = fresh.track()

    assert (done.returncode, done.stderr) == (0, "")
    assert fresh.run(key)["status"] == "KILLED"
    assert fresh.journals() == []


@pytest.mark.slow
def test_weights_of_another_model_are_refused_and_others_published(shared, key):
    folder = put_model(shared, key)
    (folder / "model.safetensors").write_text("others")

    done = shared.track()

    assert done.returncode == 1
    assert "dvc checkout outputs/lenet" in done.stderr
    assert shared.runs(key) == []


@pytest.mark.slow
def test_a_failed_comparison_shows_until_it_succeeds_or_is_wanted_no_more(fresh, key):
    put_model(fresh, key)
    comparisons = {"comparisons": {"lenet": {}}}
    (fresh.root / "params.yaml").write_text(json.dumps(comparisons))  # JSON is YAML
    fresh.start("compare", key, end="raise").communicate()
    assert fresh.track().returncode == 0
    assert fresh.run(key)["status"] == "FAILED"
    (fresh.root / "params.yaml").write_text('{"comparisons": {}}')
    assert fresh.track().returncode == 0
    assert fresh.run(key)["status"] == "FINISHED"
