"""Bad parameter files: each gets one clear line, before anything runs."""

import copy
import os
import subprocess
import sys
from pathlib import Path

import pytest
from project import ROOT
from ruamel.yaml import YAML

from pipeline.checking import check, check_machine
from pipeline.core import params

GOOD = {
    "seed": 1,
    "num_threads": 1,
    "datasets": {"digits": {"kind": "digits", "path": "data/digits.md5"}},
    "comparisons": {},
    "runs": {
        "lenet": {
            "task": "classification",
            "dataset": "digits",
            "model": {"name": "lenet"},
            "train": {
                "epochs": 1,
                "batch_size": 10,
                "optimizer": {"name": "sgd", "lr": 0.1},
                "loss": {"name": "cross_entropy"},
            },
            "evaluate": {"batch_size": 100},
            "export": {"batch_size": 100},
        }
    },
}
REMOVE = object()
DIABETES = {"kind": "diabetes", "path": "data/diabetes.md5"}


def changed(path, value, content=GOOD):
    """A copy of ``content`` in which the key at ``path`` has another value, or is gone."""
    content = copy.deepcopy(content)
    *parents, last = path.split("/")
    parent = content
    for key in parents:
        parent = parent[key]
    if value is REMOVE:
        del parent[last]
    else:
        parent[last] = value
    return content


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("seed", REMOVE, "params.yaml.seed: the key is missing"),
        ("seed", -1, "params.yaml.seed: -1 is not allowed"),
        ("seed", "42", "params.yaml.seed: '42' is not allowed"),
        ("num_threads", 0, "params.yaml.num_threads: 0 is not allowed"),
        ("sead", 3, "params.yaml.sead: 3 is under an unknown key; did you mean 'seed'?"),
        ("runs", None, "params.yaml.runs: None is not allowed"),
        ("datasets/digits/kind", "digit", "datasets.digits.kind: 'digit' is unknown; did you mean 'digits'?"),
        ("datasets/digits/path", REMOVE, "datasets.digits.path: the key is missing"),
        ("datasets/digits/val_fraction", 1.5, "datasets.digits.val_fraction: 1.5 is not allowed"),
        ("datasets/digits/size", 28, "datasets.digits.size: 28 is under an unknown key"),
        ("datasets/digits", "digits", "datasets.digits: 'digits' is not allowed; a mapping with the key 'kind'"),
        ("datasets/My set", DIABETES, "datasets.My set: 'My set' is not a name"),
        ("runs/lenet/dataset", "digit", "runs.lenet.dataset: 'digit' is not under datasets; did you mean 'digits'?"),
        (
            "runs/lenet/task",
            "clasification",
            "runs.lenet.task: 'clasification' is unknown; did you mean 'classification'",
        ),
        ("runs/lenet/export", REMOVE, "runs.lenet.export: the key is missing"),
        ("runs/lenet/train/epochs", 0, "runs.lenet.train.epochs: 0 is not allowed; Input should be greater than 0"),
        ("runs/lenet/train/batch_size", 10**30, "runs.lenet.train.batch_size: 1000000000000000000000000000000 is not"),
        ("runs/lenet/train/optimizer/lr", "0.1", "runs.lenet.train.optimizer.lr: '0.1' is not allowed"),
        ("runs/lenet/train/optimizer", {"name": "sgd", "lr": 1, "nesterov": True}, "runs.lenet.train.optimizer:"),
        ("runs/lenet/train/schedule", "cosine", "runs.lenet.train.schedule: 'cosine' is not allowed"),
        ("runs/lenet/train/clip", 1.0, "runs.lenet.train.clip: 1.0 is under an unknown key; did you mean 'clip_norm'?"),
        ("runs/lenet/evaluate/bins", 9, "runs.lenet.evaluate.bins: 9 is under an unknown key"),
        ("runs/lenet/export/batch_size", 0.5, "runs.lenet.export.batch_size: 0.5 is not allowed"),
        ("runs/lenet/promote", {"metric": "accuracy", "direction": "max"}, "runs.lenet.promote.threshold: the key is"),
        (
            "runs/lenet/promote",
            {"metric": "acuracy", "direction": "max", "threshold": 0.9},
            "runs.lenet.promote.metric: 'acuracy' is unknown; did you mean 'accuracy'?",
        ),
        # What only the model or the task can tell:
        ("runs/lenet/model/name", "lenot", "runs.lenet.model.name: 'lenot' is unknown; did you mean 'lenet'?"),
        ("runs/lenet/model/depth", 3, "runs.lenet.model.depth: 3 is under an unknown key"),
        (
            "runs/lenet/train/loss/name",
            "mae",
            "runs.lenet.train.loss.name: 'mae' is unknown; did you mean 'mse'? valid:",
        ),
        ("runs/lenet/train/monitor", "accuracy", "runs.lenet.train.monitor: 'accuracy' is not measured; did you mean"),
        ("runs/lenet/train/augment", {"shift": 28}, "runs.lenet.train.augment.shift: 28 moves images"),
        ("runs/lenet/task", "regression", "runs.lenet.train.loss.name: 'cross_entropy' is not allowed; valid: mse"),
        ("datasets/digits/image_size", 8, "runs.lenet.model: lenet needs images of at least 12 x 12 pixels"),
        ("datasets/digits", DIABETES, "runs.lenet.task: classification needs classes"),
    ],
)
def test_a_bad_file_gets_one_clear_line(path, value, expected):
    with pytest.raises(ValueError) as error:
        check(changed(path, value), rehearse=True)
    assert str(error.value).startswith(expected)
    assert "\n" not in str(error.value)


def test_a_model_that_cannot_read_the_data_is_refused():
    content = changed("runs/lenet/model", {"name": "lstm"})
    content["datasets"]["digits"] = DIABETES
    content["runs"]["lenet"]["task"] = "regression"
    content["runs"]["lenet"]["train"]["loss"] = {"name": "mse"}
    with pytest.raises(ValueError, match=r"^runs\.lenet\.model\.name: lstm reads images, and this data set is a table"):
        check(content, rehearse=True)


def test_a_missing_data_set_comes_with_the_lines_to_paste():
    content = changed("runs/lenet/dataset", "fashion_mnist")
    with pytest.raises(ValueError, match="by these lines") as error:
        check(content, rehearse=False)
    offered = YAML(typ="safe").load(str(error.value).split("by these lines:\n")[1])
    content["datasets"] |= offered["datasets"]
    check(content, rehearse=True)


def test_all_problems_are_listed_at_once():
    content = changed("runs/lenet/train/epochs", 0)
    content["runs"]["lenet"]["dataset"] = "nowhere"
    content["datasets"]["digits"]["kind"] = "nothing"
    with pytest.raises(ValueError) as error:
        check(content, rehearse=True)
    assert [line.split(":")[0] for line in str(error.value).splitlines()] == [
        "datasets.digits.kind",
        "runs.lenet.dataset",
        "runs.lenet.train.epochs",
    ]


GENERATOR = {
    "task": "gan",
    "dataset": "digits",
    "model": {"name": "dcgan"},
    "train": {
        "epochs": 3,
        "batch_size": 10,
        "optimizer": {"name": "adam", "lr": 0.001},
        "loss": {"name": "non_saturating"},
        "sample_epochs": [1, 3],
    },
    "evaluate": {},
    "export": {},
    "promote": {"metric": "frechet_distance", "direction": "min", "threshold": 50},
}


def with_generator():
    """GOOD with a generator, whose images the other run's classifier looks at."""
    with_run = changed("runs/gan", GENERATOR)
    return changed("comparisons", {"gan": {"dataset": "digits", "classifier": "lenet"}}, with_run)


def test_a_generator_and_the_comparison_of_its_images_are_valid():
    assert check(with_generator(), rehearse=True) == []


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("comparisons", REMOVE, "params.yaml.comparisons: the key is missing"),
        ("comparisons/gan/classifier", "lenot", "comparisons.gan.classifier: 'lenot' is not under runs; did you mean"),
        ("comparisons/gan/classifier", "gan", "comparisons.gan.classifier: gan (gan) tells no classes apart"),
        ("comparisons/gan/dataset", "mnist", "comparisons.gan.dataset: 'mnist' is not that of gan, which is 'digits'"),
        ("comparisons/gan/num_samples", 1, "comparisons.gan.num_samples: 1 is not allowed"),
        (
            "comparisons/gan/num_samples",
            5,
            "comparisons.gan: {'dataset': 'digits', 'classifier': 'lenet', 'num_samples': 5}",
        ),
        (
            "runs/gan/promote/metric",
            "recall_real",
            "runs.gan.promote.metric: 'recall_real' is unknown; did you mean 'recall'",
        ),
        ("comparisons/gan/k", 3, "comparisons.gan.k: 3 is under an unknown key"),
        (
            "runs/lenet/model/name",
            "linear",
            "comparisons.gan.classifier: the model of lenet, linear, has no features; ",
        ),
        ("runs/gan/model/name", "vae", "runs.gan.model.name: vae learns vae, not gan; those that do: dcgan, gan"),
        ("runs/gan/model/name", "lenet", "runs.gan.model.name: lenet learns classification and regression, not gan"),
        ("runs/gan/train/monitor", "val_kl", "runs.gan.train.monitor: 'val_kl' is not measured"),
        ("runs/gan/train/sample_epochs", [4], "runs.gan.train: {'epochs': 3"),
        ("runs/gan/train/loss/averaging", 1.0, "runs.gan.train.loss.averaging: 1.0 is not allowed"),
        ("datasets/digits/image_size", 18, "runs.gan.model: dcgan halves images twice, and these have 18 x 18 pixels"),
        (
            "runs/lenet/train/sample_epochs",
            [1],
            "runs.lenet.train.sample_epochs: [1] is for models that make images, unlike lenet",
        ),
    ],
)
def test_a_bad_generator_or_comparison_gets_one_clear_line(path, value, expected):
    with pytest.raises(ValueError) as error:
        check(changed(path, value, with_generator()), rehearse=True)
    assert str(error.value).startswith(expected)
    assert "\n" not in str(error.value)


def test_a_comparison_of_what_makes_no_images_is_refused():
    content = changed("comparisons", {"lenet": {"dataset": "digits", "classifier": "lenet"}})
    with pytest.raises(
        ValueError, match=r"^comparisons\.lenet: lenet \(classification\) generates nothing that could be"
    ):
        check(content, rehearse=False)


def test_a_metric_of_the_comparison_needs_a_comparison():
    content = with_generator() | {"comparisons": {}}
    with pytest.raises(
        ValueError,
        match=r"^runs\.gan\.promote\.metric: 'frechet_distance' is unknown; it needs an entry comparisons\.gan",
    ):
        check(content, rehearse=False)


def test_all_paths_that_are_not_there_are_named():
    content = changed("datasets/table", DIABETES | {"path": "data/diabets.md5"})
    content["datasets"]["digits"]["path"] = "../digits"
    with pytest.raises(ValueError) as error:
        check_machine(content)
    assert [line.split(" is")[0] for line in str(error.value).splitlines()] == [
        "datasets.digits.path: '../digits'",
        "datasets.table.path: 'data/diabets.md5'",
    ]


def test_what_another_machine_lacks_is_no_mistake_in_the_file(tmp_path):
    content = changed("datasets/digits/path", "../pictures")
    with (tmp_path / "params.yaml").open("w", encoding="utf-8") as file:
        YAML().dump(content, file)
    done = {
        options: subprocess.run(
            [sys.executable, "-m", "pipeline.checking", *options],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PIPELINE_DEVICE": "none"},
            capture_output=True,
            text=True,
        )
        for options in ((), ("--machine",))
    }

    assert (done[()].returncode, done[()].stderr) == (0, "")
    assert done["--machine",].stderr.startswith("error: datasets.digits.path: '../pictures' is not there")


def test_an_unused_data_set_is_a_warning():
    assert check(changed("datasets/table", DIABETES), rehearse=False) == [
        "datasets.table: no run uses it, and it is prepared all the same"
    ]


@pytest.mark.parametrize("file", ["params.yaml", *map(str, sorted(Path("examples").glob("*.yaml")))])
def test_the_shipped_files_are_valid(file):
    assert check(params.read(Path(file)), rehearse=True) == []


def test_the_first_look_imports_nothing_slow():
    # Not a stopwatch's matter: what would take seconds is an import.
    program = (
        "import sys; from pipeline import checking; from pipeline.core import params\n"
        "checking.check(params.read(), rehearse=False); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": "src"}, capture_output=True, text=True, check=True
    )
    assert not {"torch", "sklearn", "matplotlib", "mlflow", "torchvision", "scipy", "PIL"} & set(done.stdout.split())
