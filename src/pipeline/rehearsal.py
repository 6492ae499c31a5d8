"""Try one training step of a run on tensors that have shapes and no numbers, before anything is computed or deleted."""

from collections.abc import Mapping
from typing import Any

import torch

from pipeline.core import rooms
from pipeline.core.schema import nearest, parse
from pipeline.core.spec import DataSpec
from pipeline.core.storage import Meta
from pipeline.network import building
from pipeline.training import pieces
from pipeline.training.options import TrainOptions

#: Modality -> type of what a task is given.
DTYPES = {"image": torch.uint8, "table": torch.float32, "text": torch.int64}
MAX_TOKENS = 4


def rehearse(path: str, task: str, spec: DataSpec, model: Mapping[str, Any], train: Mapping[str, Any]) -> None:
    """Check that the task, the model and the training options of the run at ``path`` fit the data and one another.

    A step on PyTorch's ``meta`` device takes milliseconds and finds what a schema can't: a kernel larger than what is
    left of the image, layers whose sizes disagree. It also fails if a step waits for the device.

    Raises:
        ValueError: something doesn't fit.
    """
    module = rooms.load("tasks", task, f"{path}.task")
    options = parse(TrainOptions, train, f"{path}.train")
    parse(module.Options, {"loss": options.loss}, f"{path}.train")
    _check_model(f"{path}.model", task, str(model.get("name")))
    if options.monitor not in module.METRICS:
        raise ValueError(
            f"{path}.train.monitor: {options.monitor!r} is not measured; {nearest(options.monitor, module.METRICS)}"
        )
    _check_augment(f"{path}.train.augment", options, spec)
    if options.compile and spec.modality == "text":
        raise ValueError(f"{path}.train.compile: true compiles anew for each length that texts have; remove it")
    try:
        module.check(spec)
    except ValueError as error:
        raise ValueError(f"{path}.task: {error}") from None
    try:
        shown = step(module, spec, model, options, f"{path}.model")
    except (RuntimeError, ValueError) as error:
        message = str(error)
        raise ValueError(message if message.startswith(path) else f"{path}.model: {message}") from None
    if options.sample_epochs and shown is None:
        wanted = list(options.sample_epochs)
        raise ValueError(f"{path}.train.sample_epochs: {wanted} is for models that make images, unlike {model['name']}")


def rehearse_comparison(path: str, classifier: str, model: Mapping[str, Any]) -> None:
    """Check that the network of the run ``classifier`` can say what it sees, as the comparison at ``path`` needs.

    Raises:
        ValueError: its model has no features.
    """

    def has_features(name: str) -> bool:
        return hasattr(rooms.load("models", name, path).Model, "features")

    if not has_features(model["name"]):
        able = ", ".join(filter(has_features, rooms.names("models")))
        raise ValueError(f"{path}.classifier: the model of {classifier}, {model['name']}, has no features; {able} have")


def step(
    module: Any, spec: DataSpec, model: Mapping[str, Any], options: TrainOptions, path: str
) -> torch.Tensor | None:
    """Train and validate by one batch of two on the ``meta`` device; returns what the task shows of itself.

    That is uint8 (n, C, H, W), or None if it makes no images.
    """
    num_statistics = 0 if spec.modality == "text" else spec.shape[0]
    meta = Meta(spec=spec, classes=(), counts={}, mean=(0.0,) * num_statistics, std=(1.0,) * num_statistics)
    with torch.device("meta"):
        network, _ = building.build(model, spec, path)
    task = module.Task(network, meta, options, num_steps=1)
    # An LSTM takes its steps one by one here: a few tokens find the same as a long text.
    shape = (min(spec.shape[0], MAX_TOKENS),) if spec.modality == "text" else spec.shape
    inputs = torch.empty(2, *shape, dtype=DTYPES[spec.modality], device="meta")
    targets = torch.empty(2, dtype=torch.int64 if spec.num_classes else torch.float32, device="meta")
    piece = pieces.whole(inputs, targets)
    task.update([piece], 0)
    task.model.eval()
    with torch.inference_mode():
        task.metrics(task.validate(piece))
        shown: torch.Tensor | None = task.show()
    return shown


def _check_model(path: str, task: str, name: str) -> None:
    learns = rooms.load("models", name, f"{path}.name").TASKS
    if task not in learns:
        fitting = [other for other in rooms.names("models") if task in rooms.load("models", other, path).TASKS]
        raise ValueError(
            f"{path}.name: {name} learns {' and '.join(learns)}, not {task}; those that do: {', '.join(fitting)}"
        )


def _check_augment(path: str, options: TrainOptions, spec: DataSpec) -> None:
    augment = options.augment
    if spec.modality != "image" and (augment.shift or augment.flip):
        raise ValueError(f"{path}: {augment} changes images, and this data set is a {spec.modality}; remove it")
    if spec.modality == "image" and augment.shift >= min(spec.shape[1:]):
        raise ValueError(f"{path}.shift: {augment.shift} moves images of {spec.shape[1:]} pixels out of sight")
