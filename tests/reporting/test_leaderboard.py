"""The table of runs, from a real MLflow store."""

import json
import os
import subprocess
import sys
import warnings
from importlib import import_module
from pathlib import Path

import pytest
from mlflow.store.entities import PagedList

from pipeline.comparison import options
from pipeline.reporting import ranking
from pipeline.reporting.headline import METRICS
from pipeline.tracking.projection import Projection
from pipeline.tracking.publishing import open_store

SOURCE = Path(__file__).parents[2] / "src"
OLD, NEW, OTHER, FAILED, LINE = (letter * 64 for letter in "abcde")


def record(run, key, task="classification", dataset="digits"):
    return {
        "run": run,
        "task": task,
        "dataset": dataset,
        "input_key": key,
        "model_md5": key[:32],
        "params": {"seed": 1},
        "data": {},
        "versions": [],
        "counts": {},
        "num_parameters": 1234,
    }


def trained(record, started, test, seconds=(), device=None, status="FINISHED"):
    """A run of three epochs; ``seconds`` are those that were measured."""
    run = Projection(record, started, started + 1, test=test, status=status, tags={"device": device} if device else {})
    run.metrics |= {("train/loss", epoch): (1 / epoch, started) for epoch in (1, 2, 3)}
    run.metrics |= {("system/epoch_seconds", epoch): (value, started) for epoch, value in enumerate(seconds, 1)}
    return run


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with a store: two models called lenet, of which the older is champion, and others."""
    root = tmp_path_factory.mktemp("leaderboard")
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, of what it uses of SQLAlchemy and others
        for name in [name for name in os.environ if name.startswith(("MLFLOW", "DVC"))]:
            patch.delenv(name)
        patch.chdir(root)
        store = open_store()
        published = [
            trained(record("lenet", OLD), 1, {"accuracy": 0.98, "nll": 0.2}, (1.0, 2.0, 3.0), "cpu"),
            trained(record("lenet", NEW), 2, {"accuracy": 0.97, "nll": 0.1}, (20.0, 20.0, 30.0), "cuda"),
            trained(record("cnn", OTHER), 3, {"accuracy": 0.99, "nll": 0.05}),
            trained(record("cnn", FAILED), 4, {"accuracy": 0.5}, status="FAILED"),
            trained(record("line", LINE, "regression", "diabetes"), 5, {}, (1.0,)),
        ]
        with store.lock():
            for wanted in published:
                store.publish(wanted)
        [champion] = [
            run
            for run in store.client.search_runs([store.runs.experiment(record("lenet", OLD))])
            if run.data.tags["pipeline.input_key"] == OLD
        ]
        store.client.create_registered_model("lenet")
        store.client.create_model_version("lenet", champion.info.artifact_uri, champion.info.run_id)
        store.client.set_registered_model_alias("lenet", "champion", "1")
    return root


def leaderboard(root, *arguments):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW", "DVC", "PIPELINE"))}
    command = [sys.executable, "-m", "pipeline.reporting.leaderboard", *arguments]
    return subprocess.run(
        command, cwd=root, env={**env, "PYTHONPATH": str(SOURCE)}, capture_output=True, text=True, timeout=120
    )


@pytest.mark.slow
def test_the_newest_of_a_name_and_its_champion_are_listed_best_first(project):
    done = leaderboard(project)

    assert done.stderr == ""
    assert done.stdout == (
        "classification/digits\n"
        "  run    model    accuracy      nll  parameters  epochs  training  device\n"
        "  cnn    ccccccc    0.9900  0.05000       1,234       3         -  -\n"
        "  lenet  aaaaaaa    0.9800   0.2000       1,234       3     6.0 s  cpu     champion\n"
        "  lenet  bbbbbbb    0.9700   0.1000       1,234       3   0:01:10  cuda\n"
        "\n"
        "regression/diabetes\n"
        "  run   model    rmse  r2  parameters  epochs  training  device\n"
        "  line  eeeeeee     -   -       1,234       3         -       -\n"
    )


@pytest.mark.slow
def test_the_model_in_the_workspace_stands_for_its_name_and_all_shows_the_others(project):
    folder = project / "outputs" / "lenet"
    folder.mkdir(parents=True)
    try:
        (folder / "record.json").write_text(json.dumps(record("lenet", OLD)), encoding="utf-8")
        listed = leaderboard(project).stdout
        everything = leaderboard(project, "--all").stdout
    finally:
        (folder / "record.json").unlink()

    assert "aaaaaaa" in listed
    assert "bbbbbbb" not in listed
    assert "bbbbbbb" in everything
    assert "ddddddd" not in everything


@pytest.mark.slow
def test_the_tables_take_the_place_of_those_in_a_file(project):
    file = project / "README.md"
    file.write_text("# Über\n<!-- leaderboard -->\nold\n<!-- /leaderboard -->\nend", encoding="utf-8")
    done = leaderboard(project, "--write", "README.md")

    assert (done.stdout, done.stderr) == ("", "")
    before, _, rest = file.read_text(encoding="utf-8").partition("<!-- leaderboard -->\n")
    table, _, after = rest.partition("<!-- /leaderboard -->")
    assert (before, after) == ("# Über\n", "\nend")
    assert table.splitlines()[:5] == [
        "**classification/digits**",
        "",
        "| run | model | accuracy | nll | parameters | epochs | training | device |  |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        "| cnn | ccccccc | 0.9900 | 0.05000 | 1,234 | 3 | - | - |  |",
    ]


@pytest.mark.slow
def test_a_store_without_runs_names_the_remedy(tmp_path):
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    done = leaderboard(folder)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.endswith("has no finished run: train by `make repro`\n")
    assert done.stderr.startswith("error: sqlite:///")


def test_every_task_is_ranked_by_what_its_evaluation_measures():
    tasks = {file.stem for file in (SOURCE / "pipeline" / "tasks").glob("[!_]*.py")}

    assert METRICS.keys() == tasks
    for task, metrics in METRICS.items():
        assert metrics.keys() <= {*import_module(f"pipeline.metrics.{task}").NAMES, *options.NAMES}


def test_all_pages_of_a_search_are_read():
    pages = {None: PagedList([1, 2], "next"), "next": PagedList([3], None)}

    assert list(ranking._all(lambda page_token: pages[page_token])) == [1, 2, 3]
