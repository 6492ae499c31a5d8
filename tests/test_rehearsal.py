"""On the meta device a step that waits for the device, or that mixes devices, fails: proof without a GPU."""

import pytest
import torch
from specimens import GENERATORS, PICTURES, READERS, SPECS

import pipeline.models
from pipeline.core import rooms
from pipeline.core.spec import DataSpec
from pipeline.rehearsal import rehearse, step
from pipeline.tasks import classification
from pipeline.training.options import TrainOptions

IMAGES = DataSpec(modality="image", shape=(3, 32, 32), num_classes=10)
TABLE = DataSpec(modality="table", shape=(10,), num_classes=0)
OPTIONS = {"epochs": 1, "batch_size": 2, "optimizer": {"name": "sgd", "lr": 0.1}, "loss": {"name": "cross_entropy"}}
EVERYTHING = {"clip_norm": 1.0, "schedule": {"name": "cosine", "warmup": 0.1}}
AUGMENT = {"image": {"shift": 2, "flip": True}}


@pytest.mark.parametrize(("model", "modality"), READERS)
@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "rmsprop", "adam", "adamw"])
@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_no_training_step_waits_or_mixes_devices(model, modality, optimizer, loss):
    train = OPTIONS | EVERYTHING | {"optimizer": {"name": optimizer, "lr": 0.1}, "loss": {"name": loss}}
    train["augment"] = AUGMENT.get(modality, {})
    rehearse("runs.a", "classification", SPECS[modality], {"name": model}, train)


def test_a_run_in_bfloat16_can_be_rehearsed():
    rehearse("runs.a", "classification", IMAGES, {"name": "lenet"}, OPTIONS | {"precision": "bf16"})


def test_regression_neither():
    rehearse("runs.a", "regression", TABLE, {"name": "linear"}, OPTIONS | {"loss": {"name": "mse"}})


@pytest.mark.parametrize(("model", "task"), GENERATORS)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_making_images_neither(model, task, optimizer, precision):
    loss = {"vae": {"name": "elbo", "warmup": 0.5}, "gan": {"name": "non_saturating", "averaging": 0.9}}[task]
    train = OPTIONS | EVERYTHING | {"optimizer": {"name": optimizer, "lr": 0.1}, "loss": loss, "precision": precision}
    train |= {"augment": AUGMENT["image"], "sample_epochs": [1]}
    rehearse("runs.a", task, PICTURES, {"name": model}, train)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("waits", "        return x.flatten(1)[:, :10] * x.sum().item()"),
        ("mixes", "        return x.flatten(1)[:, :10] @ torch.ones(10, 10, device='cpu')"),
    ],
)
def test_a_model_that_waits_or_mixes_is_caught(tmp_path, monkeypatch, name, body):
    (tmp_path / f"{name}.py").write_text(
        "import torch\nfrom pipeline.core.schema import Schema\nREADS, TASKS = ('image',), ('classification',)\n"
        "class Options(Schema):\n    pass\n"
        "class Model(torch.nn.Module):\n"
        "    def __init__(self, options, spec):\n"
        "        super().__init__()\n        self.layer = torch.nn.Linear(1, 1)\n"
        f"    def forward(self, x):\n{body}\n"
    )
    monkeypatch.setattr(pipeline.models, "__path__", [str(tmp_path), *pipeline.models.__path__])
    monkeypatch.setattr(rooms, "names", lambda room: [name])
    with pytest.raises((RuntimeError, NotImplementedError)):
        step(classification, IMAGES, {"name": name}, TrainOptions.model_validate(OPTIONS), "model")
    assert torch.get_default_device().type == "cpu"


def test_to_compile_for_every_length_of_a_text_is_refused():
    with pytest.raises(ValueError, match=r"^runs\.a\.train\.compile: true compiles anew for each length"):
        rehearse("runs.a", "classification", SPECS["text"], {"name": "text_lstm"}, OPTIONS | {"compile": True})
