from copy import deepcopy

import pytest
import torch

from pipeline.training.optimizer import CLASSES, Optimizer
from pipeline.training.options import TrainOptions


def options(**changes):
    base = {"epochs": 1, "batch_size": 1, "optimizer": {"name": "sgd", "lr": 0.1}, "loss": {"name": "mse"}}
    return TrainOptions.model_validate(base | changes)


@pytest.mark.parametrize("name", CLASSES)
def test_every_optimiser_goes_downhill(name):
    weight = torch.nn.Parameter(torch.tensor([3.0, -2.0]))
    optimizer = Optimizer([weight], options(optimizer={"name": name, "lr": 0.1}), num_steps=200)
    for step in range(200):
        optimizer.add((weight**2).sum())
        optimizer.step(step)
    assert weight.norm() < 1.8  # from 3.6; adagrad is the slowest


def test_the_schedule_sets_the_learning_rate_of_each_step():
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    optimizer = Optimizer([weight], options(schedule={"name": "one_cycle", "warmup": 0.5}), num_steps=3)
    rates = []
    for step in range(3):
        before = weight.item()
        optimizer.add(weight.sum())  # gradient 1
        optimizer.step(step)
        rates.append(before - weight.item())
    assert rates == pytest.approx([0.05, 0.1, 0.05])


def test_clipping_bounds_the_norm_of_all_gradients_together():
    weights = [torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.zeros(1))]
    optimizer = Optimizer(weights, options(optimizer={"name": "sgd", "lr": 1.0}, clip_norm=0.5), num_steps=1)
    optimizer.add(30 * weights[0].sum() + 40 * weights[1].sum())
    optimizer.step(0)
    assert torch.cat([weight.detach() for weight in weights]).norm() == pytest.approx(0.5, rel=1e-4)


def test_a_restored_optimiser_goes_on_as_the_first():
    def run(weight, optimizer, steps):
        for step in steps:
            optimizer.add((weight**2).sum())
            optimizer.step(step)

    adam = options(optimizer={"name": "adam", "lr": 0.1})
    weight = torch.nn.Parameter(torch.tensor([3.0]))
    optimizer = Optimizer([weight], adam, 10)
    run(weight, optimizer, range(5))
    copy = torch.nn.Parameter(weight.detach().clone())
    restored = Optimizer([copy], adam, 10)
    restored.load_state_dict(deepcopy(optimizer.state_dict()))
    run(weight, optimizer, range(5, 10))
    run(copy, restored, range(5, 10))
    assert torch.equal(weight, copy)
