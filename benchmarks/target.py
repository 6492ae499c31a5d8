"""Seconds of training until 90% of Fashion-MNIST's test images are recognised, beside the tutorial's way.

    python benchmarks/target.py [lenet cnn] [--seeds 5]

For each seed the tutorial's loop trains, with its settings, until an epoch ends at 90% or more of the test images; ours
trains as `examples/fashion_mnist_fast.yaml` says, which was chosen on validation images alone, and is judged once, at
its end. The tutorial's time is that of its training alone, ours includes validation. Both train on the same 54,000
images, each in a process with its own memory settings, as in `speed.py`.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import speed
import torch
import tutorial
import ways
from ruamel.yaml import YAML
from torch import Tensor

from pipeline.core import storage
from pipeline.core.files import write_json
from pipeline.training import loop
from pipeline.training.run import prepare
from pipeline.training.task import Row

GOAL, MOST_EPOCHS = 0.9, 30
DATA = Path("data/processed/fashion_mnist")


class Silent:
    """An observer that does nothing."""

    def on_step(self, step: int, losses: dict[str, Tensor]) -> None: ...
    def on_epoch(self, row: Row) -> None: ...


def tutorial_way(model: str, seed: int, root: Path, folder: Path) -> dict[str, float]:
    """Train in the tutorial's way until the goal is reached; epochs, seconds, test accuracy."""
    os.chdir(folder)
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    train, test = storage.read(DATA, "train"), storage.read(DATA, "test")
    network, case = tutorial.NETWORKS[model](), ways.CASES[model]
    batches = tutorial.images(train["inputs"][:, 0], train["targets"], case.batch_size, tutorial.NORMALIZE)
    run = tutorial.classifier(network, tutorial.optimizer(network.parameters(), case.optimizer), batches)
    images = (test["inputs"].float() / 255 - tutorial.NORMALIZE.mean[0]) / tutorial.NORMALIZE.std[0]
    epochs, seconds, accuracy = 0, 0.0, 0.0
    while accuracy < GOAL and epochs < MOST_EPOCHS:
        begun = time.perf_counter()
        run(-(-len(train["targets"]) // case.batch_size))
        seconds += time.perf_counter() - begun
        epochs += 1
        with torch.inference_mode():
            predicted = torch.cat([network.eval()(part).argmax(1) for part in images.split(1000)])
        accuracy = (predicted == test["targets"]).float().mean().item()
    return {"epochs": epochs, "seconds": seconds, "accuracy": accuracy}


def our_way(model: str, seed: int, root: Path, folder: Path) -> dict[str, float]:
    """Train as the example says; epochs, seconds, test accuracy."""
    os.chdir(folder)
    content = YAML(typ="safe").load(root / "examples/fashion_mnist_fast.yaml")
    job = prepare(model, content | {"seed": seed})
    begun = time.perf_counter()
    loop.fit(job.task, job.train, job.val, job.options, job.seed, job.better, loop.State(), Silent())
    seconds = time.perf_counter() - begun
    test = storage.read(DATA, "test")
    with torch.inference_mode():
        measured = job.task.validate(test["inputs"], test["targets"])
    return {"epochs": job.options.epochs, "seconds": seconds, "accuracy": measured["accuracy"].item()}


def apart(way: Callable[..., dict[str, float]], *arguments: Any, environment: dict[str, str]) -> dict[str, float]:
    """Call a way in a process of its own."""
    with ways.environment(environment), ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(way, *arguments).result()


def main(models: list[str], num_seeds: int) -> None:
    """Measure, print a line a seed, and write the results."""
    root = Path.cwd()
    found: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as name:
        ways.lay_out(models, root, Path(name))
        for model in models:
            found[model] = []
            for seed in range(1, num_seeds + 1):
                arguments = (model, seed, root, Path(name))
                theirs = apart(tutorial_way, *arguments, environment={})
                ours = apart(our_way, *arguments, environment=speed.stage_environment(root))
                found[model].append({"seed": seed, "tutorial": theirs, "ours": ours})
                print(
                    f"{model}, seed {seed}: tutorial {theirs['epochs']} epochs, {theirs['seconds']:.1f} s, "
                    f"{theirs['accuracy']:.2%}; ours {ours['epochs']} epochs, {ours['seconds']:.1f} s, "
                    f"{ours['accuracy']:.2%}: {theirs['seconds'] / ours['seconds']:.1f} times as fast",
                    flush=True,
                )
    for model, runs in found.items():
        ratios = [run["tutorial"]["seconds"] / run["ours"]["seconds"] for run in runs]
        print(f"{model}: {statistics.median(ratios):.1f} times as fast (median of {len(runs)} seeds)")
    speed.RESULTS.mkdir(exist_ok=True)
    write_json(speed.RESULTS / "target.json", {"title": speed.machine(), "goal": GOAL, "models": found})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["lenet", "cnn"], choices=["lenet", "cnn", []], metavar="model")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    main(options.models, options.seeds)
