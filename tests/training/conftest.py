import pytest
import torch

from pipeline.core import rooms
from pipeline.core.spec import DataSpec
from pipeline.core.storage import Meta
from pipeline.network import building
from pipeline.network.batches import Rows
from pipeline.training import loop
from pipeline.training.options import TrainOptions


class Silent:
    """An observer that only counts."""

    def __init__(self):
        self.steps, self.rows = [], []

    def on_step(self, step, losses):
        self.steps.append(step)

    def on_epoch(self, row):
        self.rows.append(row)


@pytest.fixture
def problem():
    """A small problem of two classes: which half of an 8 x 8 image is bright?"""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 100, (130, 1, 8, 8), generator=generator)
    labels = torch.randint(0, 2, (130,), generator=generator)
    images[labels == 1, :, :4] += 100
    images[labels == 0, :, 4:] += 100
    images = images.to(torch.uint8)
    spec = DataSpec(modality="image", shape=(1, 8, 8), num_classes=2)
    meta = Meta(spec=spec, classes=("top", "bottom"), counts={}, scale=255.0, mean=(0.4,), std=(0.2,))
    train, val = (Rows(images[:100]), labels[:100]), (Rows(images[100:]), labels[100:])

    def fit(model="linear", seed=0, task="classification", observer=None, prepare=None, **changes):
        options = TrainOptions.model_validate(
            {"epochs": 3, "batch_size": 30, "optimizer": {"name": "sgd", "lr": 0.05}, "loss": {"name": "cross_entropy"}}
            | changes
        )
        module = rooms.load("tasks", task, "task")
        torch.manual_seed(seed)
        network, _ = building.build({"name": model}, spec, "model")
        learner = module.Task(network, meta, options, options.epochs * train[0].num_batches(options.batch_size))
        state = loop.State()
        if prepare:
            prepare(learner, state)
        loop.fit(learner, train, val, options, seed, module.METRICS[options.monitor], state, observer or Silent())
        return learner, state

    fit.train, fit.val, fit.meta, fit.Silent = train, val, meta, Silent
    return fit
