"""One update of each network by a small and a tiny batch: ``torchrun updates.py FILE``."""

import sys

import torch
from specimens import GENERATORS, PICTURES, SPECS, meta, network, stored

from pipeline.core import rooms
from pipeline.network import processes
from pipeline.network.batches import Batch, Rows
from pipeline.training.options import TrainOptions
from pipeline.training.pieces import cut, seed_network

#: Model, task, loss.
CASES = (
    ("lenet", "classification", {"name": "cross_entropy"}),
    ("resnet", "classification", {"name": "cross_entropy"}),
    *((name, task, {"name": {"vae": "elbo", "gan": "non_saturating"}[task]}) for name, task in GENERATORS),
)


def main(file):
    torch.set_num_threads(1)
    found = {}
    with processes.joined():
        for name, task, loss in CASES:
            spec = SPECS["image"] if task == "classification" else PICTURES
            for number in (51, 1):
                for accumulation in (1, 3):
                    found[f"{name} {number} {accumulation}"] = update(name, task, loss, spec, number, accumulation)
            found[f"{name} bf16"] = update(name, task, loss, spec, 51, 1, "bf16")
        if processes.rank() == 0:
            torch.save(found, file)


def update(name, task, loss, spec, number, accumulation, precision="fp32"):
    """The losses of one step, and by how much each weight and buffer has changed."""
    options = TrainOptions.model_validate(
        {
            "epochs": 1,
            "batch_size": 51,
            "optimizer": {"name": "sgd", "lr": 0.01},
            "loss": loss,
            "augment": {"shift": 1},
            "precision": precision,
        }
    )
    torch.manual_seed(processes.rank())  # it is process 0 that decides
    made = rooms.load("tasks", task, "").Task(network(name, spec), meta(spec), options, 1)
    for module in made.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0  # each process draws its own
    before = {key: value.clone() for key, value in made.model.state_dict().items()}
    inputs, targets = stored(spec, number), torch.arange(number) % 3
    made.model.train()
    [pieces] = cut(Rows(inputs), targets, [Batch(torch.arange(number))], accumulation, [5])
    seed_network(targets.device, pieces, seed=5)
    losses = processes.added(made.update(pieces, 0))
    return losses, {key: value - before[key] for key, value in made.model.state_dict().items()}


if __name__ == "__main__":
    main(sys.argv[1])
