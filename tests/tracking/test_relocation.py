import sqlite3

import pytest

from pipeline.tracking.relocation import relocate


@pytest.fixture
def database():
    connection = sqlite3.connect(":memory:")
    yield connection
    connection.close()


def test_a_store_without_tables_is_left_alone(database):
    relocate(database, "file:///new/mlruns/artifacts")

    assert database.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


@pytest.mark.slow
def test_after_a_move_artifacts_are_found_and_new_ones_go_to_the_new_place(fresh, key, tmp_path):
    fresh.root = (tmp_path / "old").absolute()
    fresh.root.mkdir()
    fresh.stage("train", key, epochs=1)
    assert fresh.track().returncode == 0
    other = fresh.root / "elsewhere"  # an experiment of the user's own, with a place of its own
    with sqlite3.connect(fresh.root / "mlruns/mlflow.db") as connection:
        connection.execute("UPDATE experiments SET artifact_location = ? WHERE name = 'Default'", (str(other),))
    fresh.root = fresh.root.rename(tmp_path / "it's new")

    fresh.stage("evaluate", key, metrics={"accuracy": 0.5})
    assert fresh.track().returncode == 0

    run = fresh.run(key)
    assert run["artifacts"] == ["model.safetensors", "plots"]
    assert (run["status"], run["metrics"]["test/accuracy"]) == ("FINISHED", [(0, 0.5)])
    assert not (tmp_path / "old").exists()
    with sqlite3.connect(fresh.root / "mlruns/mlflow.db") as connection:
        locations = dict(connection.execute("SELECT name, artifact_location FROM experiments"))
    assert locations == {"Default": str(other), "classification/digits": (fresh.root / "mlruns/artifacts").as_uri()}
