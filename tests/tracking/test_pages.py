"""What a person sees of the runs: MLflow's pages in a real browser."""

import csv
import json
import re
import shutil

import pytest
from browsing import REMEDY, chromium, window
from project import copy_project
from serving import served

from pipeline.tracking import projection

pytestmark = [pytest.mark.slow, pytest.mark.skipif(chromium() is None, reason=REMEDY)]

RUN = """\
  {name}:
    task: {task}
    dataset: {dataset}
    model: {{name: {model}}}
    train: {{epochs: {epochs}, batch_size: 50, optimizer: {{name: sgd, lr: {lr}}}, loss: {{name: {loss}}}}}
    evaluate: {{batch_size: 1000}}
    export: {{batch_size: 500}}
"""
PARAMS = (
    "seed: 1\nnum_threads: 1\ndatasets:\n"
    "  digits: {kind: digits, path: data/digits.md5, image_size: 12}\n"
    "  diabetes: {kind: diabetes, path: data/diabetes.md5}\ncomparisons: {}\nruns:\n"
    + RUN.format(
        name="plane", task="classification", dataset="digits", model="linear", epochs=3, lr=0.05, loss="cross_entropy"
    )
    + RUN.format(
        name="lenet", task="classification", dataset="digits", model="lenet", epochs=4, lr=0.04, loss="cross_entropy"
    )
    + RUN.format(name="line", task="regression", dataset="diabetes", model="linear", epochs=5, lr=0.01, loss="mse")
)


class Model:
    """What lies beside a model: the truth that the pages should show."""

    def __init__(self, folder):
        self.record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
        self.metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        with (folder / "history.csv").open(encoding="utf-8", newline="") as stream:
            self.history = list(csv.DictReader(stream))
        self.name = f"{self.record['run']} · {self.record['dataset']} · {self.record['input_key'][:7]}"

    def values(self, column):
        return [float(row[column]) for row in self.history]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Three models, made by DVC with their runs in MLflow."""
    copy = copy_project(tmp_path_factory.mktemp("pages"), PARAMS)
    copy.repro(PIPELINE_TRACKING="on")
    copy.run("python", "-m", "pipeline.tracking.track", PYTHONPATH="src")
    yield copy
    shutil.rmtree(copy.root / ".pipeline")  # the publishing process ends


@pytest.fixture(scope="module")
def models(workspace):
    return {name: Model(workspace.root / "outputs" / name) for name in ("plane", "lenet", "line")}


@pytest.fixture(scope="module")
def server(workspace):
    """The address of the project's MLflow, and those that it printed for its experiments."""
    with served(workspace.root, workspace.environment) as (address, links):
        yield address, links


@pytest.fixture
def browser():
    """A new browser's window, whose pages may ask no other host and report no error."""
    with window() as opened:
        yield opened
    assert opened.hosts == {"127.0.0.1"}
    assert opened.errors == []


@pytest.fixture
def ui(browser, server):
    """The list of experiments, among the pages for training."""
    browser.start(server[0])
    return browser


@pytest.fixture
def links(server):
    return server[1]


def test_a_request_to_another_host_and_an_error_of_the_page_are_noticed():
    with window() as opened:
        opened.page.evaluate("fetch('http://elsewhere.invalid/').catch(() => console.error('oh no'))")

    assert opened.hosts == {"elsewhere.invalid"}
    assert any(error.startswith("oh no") for error in opened.errors)


def test_the_experiments_are_listed_by_task_and_data_set(ui, links):
    listed = ui.page.get_by_role("link", name=re.compile("^(classification|regression)"))
    listed.first.wait_for()

    assert set(listed.all_inner_texts()) == links.keys() == {"classification/digits", "regression/diabetes"}


def test_the_printed_address_opens_the_curves_of_all_models_in_a_browser_that_knows_nothing(browser, links, models):
    browser.page.goto(links["classification/digits"])
    curves = {(curve.metric, curve.run): curve for curve in browser.curves("^val/")}

    assert browser.page.get_by_role("heading", name="Runs", exact=True).is_visible()  # among the pages for training
    assert curves.keys() == {
        (metric, models[run].name) for metric in ("val/loss", "val/accuracy") for run in ("plane", "lenet")
    }
    for (metric, name), curve in curves.items():
        model = next(model for model in models.values() if model.name == name)
        assert curve.values == pytest.approx(model.values(metric.replace("/", "_")))
        assert curve.drawn == len(model.history)


@pytest.mark.parametrize(("experiment", "run"), [("classification/digits", "lenet"), ("regression/diabetes", "line")])
def test_a_run_shows_its_curves_metrics_and_parameters(ui, links, models, experiment, run):
    model = models[run]
    ui.page.goto(links[experiment])
    ui.follow(model.name)
    shown = ui.rows("train.epochs")

    assert ui.page.get_by_role("heading", name=model.name, exact=True).is_visible()
    assert {name: shown[name] for name in projection.params(model.record)} == {
        name: [value] for name, value in projection.params(model.record).items()
    }
    for name, value in model.metrics.items():
        assert float(shown[f"test/{name}"][0]) == pytest.approx(value), name
    assert f"dvc repro export@{run}" in ui.page.inner_text("#root")

    ui.follow("Model metrics")
    curves = {curve.metric: curve for curve in ui.curves("^(train|val)/loss$")}
    assert curves.keys() == {"train/loss", "val/loss"}
    for metric, curve in curves.items():
        assert curve.values == pytest.approx(model.values(metric.replace("/", "_")))
        assert curve.steps == [int(row["epoch"]) for row in model.history]
        assert curve.drawn == len(model.history)


def test_a_runs_pictures_are_shown(ui, links, models):
    ui.page.goto(links["classification/digits"])
    ui.follow(models["lenet"].name)
    ui.follow("Artifacts")
    for name in ("plots", "pictures", "mistakes.png"):
        ui.page.get_by_text(name, exact=True).click()
    width, height = ui.picture("plots/pictures/mistakes.png")

    assert width > 100
    assert height > 100


def test_the_comparison_of_all_models_lines_up_their_parameters(ui, links, models):
    ui.page.goto(links["classification/digits"])
    ui.page.get_by_role("checkbox", name="Select all runs").check()
    ui.page.get_by_role("button", name="Compare", exact=True).click()
    axes, rows = ui.parallel_coordinates(), ui.rows("train.epochs")

    compared = [next(model for model in models.values() if model.name == name) for name in rows["Run Name:"]]
    assert {model.record["run"] for model in compared} == {"plane", "lenet"}
    columns = [projection.params(model.record) for model in compared]
    names = {name for column in columns for name in column}
    assert "train.optimizer.lr" in names
    assert {name: rows[name] for name in names} == {
        name: [column.get(name, "") for column in columns] for name in names
    }
    assert "model.name" in axes
    assert "train/loss" in axes
