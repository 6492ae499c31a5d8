"""A change re-runs what it touches and nothing else."""

import json
import os

import pytest

pytestmark = pytest.mark.slow

LENET = {"train@lenet", "evaluate@lenet", "export@lenet"}


def status(workspace):
    return json.loads(workspace.run("dvc", "status", "--json").stdout)


def test_after_a_run_nothing_is_left_to_do(workspace):
    assert status(workspace) == {}
    assert workspace.run("git", "status", "--porcelain").stdout == ""
    assert workspace.repro() == set()
    assert not list((workspace.root / ".pipeline/checkpoints").rglob("*.pt"))


def test_a_learning_rate_reruns_one_run(workspace):
    workspace.replace("params.yaml", "lr: 0.05, momentum", "lr: 0.06, momentum")
    assert workspace.repro() == {"check", "compare@gan"} | LENET  # its classifier is another one now
    assert status(workspace) == {}


def test_going_back_to_earlier_parameters_runs_nothing(workspace):
    before = workspace.outputs()
    workspace.replace("params.yaml", "lr: 0.05, momentum", "lr: 0.06, momentum")
    workspace.repro()
    assert workspace.outputs() != before
    workspace.replace("params.yaml", "lr: 0.06, momentum", "lr: 0.05, momentum")
    assert workspace.repro() == set()
    assert workspace.outputs() == before


def test_an_evaluation_option_trains_and_exports_nothing(workspace):
    workspace.replace("params.yaml", "num_mistakes: 5", "num_mistakes: 6")
    assert workspace.repro() == {"check", "evaluate@c"}
    assert status(workspace) == {}


def test_a_models_code_reruns_its_runs(workspace):
    workspace.replace("src/pipeline/models/lenet.py", "class Model", "# a comment\nclass Model")
    assert workspace.repro() == {"check"} | LENET


def test_a_run_added_between_two_reruns_neither(workspace):
    run = "  b:\n" + workspace.params.read_text().split("  c:\n")[1].split("  lenet:")[0]
    workspace.replace("params.yaml", "  c:\n", run + "  c:\n")
    assert workspace.repro() == {"check", "train@b", "evaluate@b", "export@b"}


def test_comments_and_order_change_nothing(workspace):
    text = workspace.params.read_text().replace("seed: 1\nnum_threads: 1\n", "# hello\nnum_threads: 1\nseed: 1\n")
    workspace.params.write_text(text)
    assert status(workspace) == {}


@pytest.mark.real_data
@pytest.mark.skipif(not os.environ.get("PIPELINE_DATA_MIRROR"), reason="PIPELINE_DATA_MIRROR is not set")
def test_another_data_set_is_fetched_and_reruns_one_run(workspace):
    text = workspace.params.read_text()
    start = text.index("  c:")
    section = text[start:].replace("dataset: digits", "dataset: fashion_mnist", 1).replace("epochs: 2", "epochs: 1", 1)
    workspace.params.write_text(text[:start] + section)
    refused = workspace.run("dvc", "repro", check=False)
    assert refused.returncode and "by these lines" in refused.stderr
    offered = "  fashion_mnist: {kind: fashion_mnist, path: data/fashion_mnist.md5}\n"
    assert offered in refused.stderr
    workspace.replace("params.yaml", "datasets:\n", "datasets:\n" + offered)
    made = {"download@fashion_mnist", "preprocess@fashion_mnist", "train@c", "evaluate@c", "export@c"}
    assert workspace.repro() == {"check"} | made
