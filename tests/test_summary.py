"""The closing table of `make repro`, of outputs as stages leave them."""

import json
import os
import re
import subprocess
import sys

import pytest
from project import ROOT
from terminal import shown

from pipeline import summary

RUN = "  {}: {{task: {}, dataset: {}, model: {{name: {}}}}}\n"
RUNS = {
    "a": ("classification", "digits", "linear", {"accuracy": 0.9, "nll": 0.3, "ece": 0.1}, {}),
    "b": ("classification", "digits", "lenet", {"accuracy": 0.98765, "nll": 0.1}, {}),
    "c": ("regression", "diabetes", "linear", {"rmse": 55.123, "mae": 46.0, "r2": 0.39}, {}),
    "d": ("gan", "digits", "dcgan", {"pixel_distance": 0.02}, {"frechet_distance": 108.58, "coverage": 0.4}),
    "e": ("gan", "digits", "gan", {"pixel_distance": 0.03}, {}),
}


@pytest.fixture
def folder(tmp_path):
    runs = "".join(RUN.format(name, *entry[:3]) for name, entry in RUNS.items())
    (tmp_path / "params.yaml").write_text(f"runs:\n{runs}")
    for name, (task, dataset, model, metrics, comparison) in RUNS.items():
        outputs = tmp_path / "outputs" / name
        outputs.mkdir(parents=True)
        record = {"task": task, "dataset": dataset, "params": {"model.name": model}, "model_md5": name}
        files = {"record": record, "evaluation": {"model_md5": name}, "metrics": metrics}
        if comparison:
            files |= {"comparison": {"model_md5": name}, "comparison_metrics": comparison}
        for file, content in files.items():
            (outputs / f"{file}.json").write_text(json.dumps(content))
    return tmp_path


def call(folder, *options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-X", "importtime", "-m", "pipeline.summary", *options]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    imported = set(re.findall(r"\| +(\w+)$", done.stderr, flags=re.MULTILINE))
    assert not imported & {"torch", "mlflow", "dvc", "numpy"}
    return done.stdout


def lines(said):
    """The table's, by the run."""
    rows = [re.split(r" {3,}|  (?=\S)", line) for line in said.strip().partition("\n\n")[0].splitlines()]
    return {row[0]: [cell.strip() for cell in row[1:]] for row in rows}


def test_each_run_has_the_metrics_of_its_task(folder):
    said = call(folder)
    assert lines(said) == {
        "run": ["data set", "model", "on the test set"],
        "a": ["digits", "linear", "accuracy 0.9", "nll 0.3", "new"],
        "b": ["digits", "lenet", "accuracy 0.9877", "nll 0.1", "new"],
        "c": ["diabetes", "linear", "rmse 55.12", "r2 0.39", "new"],
        "d": ["digits", "dcgan", "frechet_distance 108.6", "coverage 0.4", "new"],
        "e": ["digits", "gan", "pixel_distance 0.03", "new"],
    }
    assert "make ui" in said and "to complete it" not in said and "\x1b" not in said


def test_what_is_missing_or_belongs_to_other_weights_is_no_result(folder):
    (folder / "outputs/a/record.json").unlink()
    (folder / "outputs/b/metrics.json").write_text("{")
    (folder / "outputs/c/evaluation.json").write_text('{"model_md5": "of before"}')
    (folder / "outputs/d/comparison.json").write_text('{"model_md5": "of before"}')
    (folder / "outputs/of_no_run").mkdir()
    said = call(folder)
    found = lines(said)
    assert found["a"] == ["digits", "linear", "not trained"]
    assert found["b"][-1] == found["c"][-1] == "trained, not evaluated"
    assert found["d"][-2:] == ["pixel_distance 0.02", "new"]
    assert "\nto complete it: dvc repro evaluate@a evaluate@b evaluate@c\n" in said
    assert "of_no_run" not in said


def test_without_any_output_it_says_how_to_begin(folder):
    for file in (folder / "outputs").rglob("*.json"):
        file.unlink()
    said = call(folder)
    assert "to complete it: dvc repro evaluate@a" in said and "make ui" not in said


def test_it_says_what_has_changed_and_else_nothing_if_so_asked(folder):
    assert "new" in call(folder, "--changes")
    assert call(folder, "--changes") == ""
    (folder / "outputs/a/metrics.json").write_text('{"accuracy": 0.95, "nll": 0.3}')
    (folder / "outputs/b/metrics.json").write_text('{"accuracy": 0.98765, "nll": 0.2}')
    found = lines(call(folder, "--changes"))
    assert found["a"][-1] == "accuracy was 0.9" and found["b"][-1] == "changed"
    assert found["c"][-1] == "r2 0.39"
    assert "accuracy 0.95" in call(folder)


@pytest.mark.parametrize(
    ("variables", "is_bold"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_on_a_terminal_the_best_of_several_stands_out(folder, variables, is_bold):
    inherited = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    environment = {**inherited, "PYTHONPATH": str(ROOT / "src"), "TERM": "xterm", **variables}
    _, said = shown([sys.executable, "-m", "pipeline.summary"], folder, environment)
    assert re.findall("\x1b\\[1m(\\S+ \\S+)", said) == (["accuracy 0.9877"] if is_bold else [])
    assert is_bold or "\x1b" not in said


def test_what_it_names_can_be_made():
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert {name.removeprefix("make ") for name in summary.NEXT if name.startswith("make ")} <= set(targets)
