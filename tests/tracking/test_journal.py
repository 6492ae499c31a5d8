import hashlib
import json
import shutil
import signal

import pytest

EPOCHS = {
    "train/loss": [(1, 1.0), (2, 0.5)],
    "val/loss": [(1, 2.0), (2, 1.0)],
    "val/accuracy": [(1, 0.0), (2, 0.5)],
    "system/examples_per_second": [(1, 1000.0), (2, 1000.0)],
}


@pytest.mark.slow
def test_three_stages_make_one_complete_run(shared, key):
    told = [
        shared.stage("train", key, epochs=2),
        shared.stage("evaluate", key, metrics={"accuracy": 0.5, "num_examples": 50}),
        shared.stage("export", key),
    ]

    run = shared.run(key)
    assert (run["experiment"], run["name"]) == ("classification/digits", f"lenet · digits · {key[:7]}")
    assert run["status"] == "FINISHED"
    assert run["params"] == {
        "task": "classification",
        "dataset": "digits",
        "num_parameters": "61706",
        "seed": "42",
        "model.name": "lenet",
        "train.optimizer.lr": "0.05",
        "train.patience": "null",
    }
    assert run["metrics"] == EPOCHS | {"test/accuracy": [(0, 0.5)], "test/num_examples": [(0, 50.0)]}
    assert run["data"] == {s: ("digits", d * 32) for s, d in (("train", "1"), ("val", "2"), ("test", "3"))}
    assert run["artifacts"] == ["model.safetensors", "plots"]
    tags = run["tags"]
    assert tags["pipeline.run"] == "lenet"
    assert tags["pipeline.model_md5"] == "f" * 32
    assert (tags["device"], tags["version.torch"]) == ("cpu", "2.14.1")
    assert (tags["evaluate.batch_size"], tags["export.batch_size"]) == ("1000", "500")
    assert tags["export.ts.largest_difference"] == "1e-07"
    assert "**lenet** on **digits**" in tags["mlflow.note.content"]
    assert shared.journals() == []
    assert all(stage["stderr"] == "" and not stage["mlflow"] and stage["entered"] < 1 for stage in told)


@pytest.mark.slow
def test_a_comparison_adds_to_what_the_evaluation_measured(shared, key):
    shared.stage("evaluate", key, metrics={"diversity": 0.5})
    for distance in (9.0, 9.0, 8.0):
        shared.stage("compare", key, metrics={"frechet_distance": distance})
    shared.stage("evaluate", key, metrics={"diversity": 0.5})

    run = shared.run(key)
    assert run["metrics"] == {"test/diversity": [(0, 0.5)], "test/frechet_distance": [(0, 9.0), (1, 8.0)]}
    assert run["tags"]["compare.classifier"] == "lenet"
    assert run["status"] == "FINISHED"


@pytest.mark.slow
def test_samples_are_images_of_their_epochs_while_training_goes_on_and_once(shared, key, until):
    process = shared.start("train", key, epochs=3, samples=[1, 3], gates=[2])
    until(lambda: [run["images"] for run in shared.runs(key)] == [[("samples", 1)]])
    shared.open_gate(2)
    shared.end(process)
    run = shared.run(key)
    assert run["images"] == [("samples", 1), ("samples", 3)]
    assert {"images", "samples", "model.safetensors"} <= set(run["artifacts"])
    assert run["tags"]["mlflow.loggedImages"] == "True"

    shared.stage("train", key, epochs=3, samples=[1, 3])  # again, as after a restore that wasn't noticed
    assert shared.run(key)["images"] == [("samples", 1), ("samples", 3)]


@pytest.mark.slow
def test_the_runs_of_an_experiment_differ_in_colour(fresh):
    keys = [letter * 64 for letter in "abc"]
    for key in keys:
        fresh.stage("export", key)

    assert len({fresh.run(key)["tags"]["mlflow.runColor"] for key in keys}) == len(keys)


@pytest.mark.slow
def test_killed_training_is_killed_in_mlflow_and_resuming_it_completes_the_same_run(shared, key, until):
    process = shared.start("train", key, epochs=1, end="hang")
    until(lambda: [run["metrics"].get("train/loss") for run in shared.runs(key)] == [[(1, 1.0)]])
    assert shared.run(key)["status"] == "RUNNING"
    process.kill()
    process.communicate()
    until(lambda: shared.run(key)["status"] == "KILLED")
    assert "without a word" in shared.run(key)["tags"]["pipeline.error"]

    shared.stage("train", key, epochs=2)

    run = shared.run(key)
    assert run["status"] == "FINISHED"
    assert run["metrics"] == EPOCHS
    assert "pipeline.error" not in run["tags"]


@pytest.mark.slow
def test_failed_and_interrupted_stages_say_so_without_passwords(shared, key, until):
    process = shared.start("train", key, epochs=1, end="raise")
    _, err = process.communicate()
    assert process.returncode == 1
    assert "ValueError: no answer" in err
    until(lambda: [run["status"] for run in shared.runs(key)] == ["FAILED"])
    error = shared.run(key)["tags"]["pipeline.error"]
    assert error.endswith("ValueError: no answer from http://***@example.org/data")

    process = shared.start("train", key, epochs=1, end="hang")
    until(lambda: shared.run(key)["status"] == "RUNNING")
    process.send_signal(signal.SIGINT)
    process.communicate()
    until(lambda: shared.run(key)["status"] == "KILLED")


@pytest.mark.slow
def test_each_other_evaluation_gets_the_next_step(shared, key):
    for accuracy in (0.5, 0.5, 0.75, 0.5):
        shared.stage("evaluate", key, metrics={"accuracy": accuracy})

    assert shared.run(key)["metrics"] == {"test/accuracy": [(0, 0.5), (1, 0.75), (2, 0.5)]}


@pytest.mark.slow
def test_a_failed_evaluation_shows_until_one_succeeds(shared, key, until):
    shared.stage("train", key, epochs=2)
    shared.start("evaluate", key, end="raise").communicate()
    until(lambda: shared.run(key)["status"] == "FAILED")
    shared.stage("export", key)
    assert shared.run(key)["status"] == "FAILED"

    shared.stage("evaluate", key, metrics={"accuracy": 0.5})

    assert shared.run(key)["status"] == "FINISHED"


def test_off_leaves_nothing(fresh, key):
    fresh.env["PIPELINE_TRACKING"] = "off"

    told = fresh.stage("train", key, epochs=2)

    assert sorted(path.name for path in fresh.root.iterdir()) == ["outputs"]
    assert told["stderr"] == "" and told["seconds"] < 0.1


def test_where_no_journal_can_be_written_the_stage_succeeds_and_warns_once(fresh, key):
    (fresh.root / ".pipeline").write_text("not a folder")

    told = fresh.stage("train", key, epochs=2)

    assert told["stderr"].count("warning") == 1
    assert "make track" in told["stderr"]


@pytest.mark.parametrize("file_size", [0, 100])
def test_a_full_disk_leaves_no_journal_without_entries(fresh, key, file_size):
    told = fresh.stage("export", key, file_size=file_size)

    assert told["stderr"].splitlines() == [
        (
            "warning: this export can't be recorded: [Errno 27] File too large. "
            "Its outputs are complete; publish them with `make track`"
        )
    ]
    assert list((fresh.root / ".pipeline" / "tracking").iterdir()) == []


@pytest.mark.slow
def test_an_empty_journal_is_deleted(shared, key, until):
    folder, store = shared.root / ".pipeline" / "tracking", hashlib.sha256(shared.uri.encode()).hexdigest()[:8]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{'0' * 64}-1-train-1.{store}.jsonl").touch()

    shared.stage("export", key)

    until(lambda: shared.journals() == [])


@pytest.mark.slow
def test_artifacts_outlive_the_copy_of_the_repository_that_dvc_makes_and_deletes(fresh, key):
    copy = type(fresh)(fresh.root / "copy")
    copy.root.mkdir()
    copy.env |= {"DVC_ROOT": str(fresh.root), "MLFLOW_TRACKING_URI": f"sqlite:///{fresh.root}/mine.db"}

    copy.stage("train", key, epochs=1)
    shutil.rmtree(copy.root)

    assert copy.run(key)["artifacts"] == ["model.safetensors"]


@pytest.mark.slow
def test_a_dead_server_costs_one_warning_and_nothing_is_lost_or_doubled(fresh, shared, key):
    fresh.env["MLFLOW_TRACKING_URI"] = "http://me:secret@127.0.0.1:9"  # the port to which nothing answers

    told = fresh.stage("train", key, epochs=2)

    assert told["seconds"] < 20
    assert told["stderr"].count("warning") == 1
    assert "make track" in told["stderr"] and "secret" not in told["stderr"]
    [journal] = fresh.journals()
    spooled = [path for path in journal.parent.iterdir() if path.is_file()]
    assert not any("secret" in path.read_text() for path in spooled)
    [*_, end] = [json.loads(line) for line in journal.read_text().splitlines()]
    assert end["status"] == "FINISHED"
    lines, weights = journal.read_text(), (journal.with_suffix("") / "model.safetensors").read_text()
    failed = fresh.track()
    assert failed.returncode == 1 and "secret" not in failed.stderr

    # The store of the other tests saves creating one.
    fresh.env["MLFLOW_TRACKING_URI"] = shared.uri
    assert fresh.track().returncode == 0
    first = fresh.run(key)
    journal.write_text(lines)
    journal.with_suffix("").mkdir()
    (journal.with_suffix("") / "model.safetensors").write_text(weights)
    assert fresh.track().returncode == 0

    assert fresh.journals() == []
    assert fresh.run(key) == first
    assert first["metrics"] == EPOCHS and first["status"] == "FINISHED"
