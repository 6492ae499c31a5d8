"""Seconds of training until 90% of Fashion-MNIST's test images are recognised, beside the tutorial's way.

    python benchmarks/target.py [lenet cnn] [--seeds 5]

For each seed the tutorial's loop trains, with its settings, until an epoch ends at 90% or more of the test images; ours
trains as `examples/fashion_mnist_fast.yaml` says, which was chosen on validation images alone, and is judged once, at
its end. Times are of training alone; the tutorial has no validation, and what ours takes is given by itself. Both train
on the same 54,000 images, each in a process with its own memory settings, as in `speed.py`.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import seeds
import speed
import torch
import tutorial
import ways
from ruamel.yaml import YAML

from pipeline.core import storage
from pipeline.core.files import write_json

GOAL, MOST_EPOCHS = 0.9, 30
DATA = Path("data/processed/fashion_mnist")


def tutorial_way(model: str, seed: int, folder: Path) -> dict[str, float]:
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


def our_way(model: str, seed: int, folder: Path) -> dict[str, float]:
    """Train as the example says; epochs, seconds, those of validation besides, test accuracy."""
    content = YAML(typ="safe").load(ways.ROOT / "examples/fashion_mnist_fast.yaml")
    found = seeds.learn(content | {"seed": seed}, model, folder)
    seconds = {"seconds": found["seconds"] - found["validating"], "validating": found["validating"]}
    return {"epochs": found["epochs"], **seconds, "accuracy": found["test_accuracy"]}


def apart(way: Callable[..., Any], *arguments: Any, environment: dict[str, str]) -> Any:
    """Call ``way`` in a process of its own."""
    with ways.environment(environment), ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(way, *arguments).result()


def main(models: list[str], num_seeds: int) -> None:
    """Measure, print a line a seed, and write the results."""
    with tempfile.TemporaryDirectory() as name:
        if note := ways.lay_out(models, Path(name)):
            sys.exit(f"error: {note}")
        for model in models:
            runs: list[dict[str, Any]] = []
            for seed in range(1, num_seeds + 1):
                arguments = (model, seed, Path(name))
                theirs = apart(tutorial_way, *arguments, environment={})
                ours = apart(our_way, *arguments, environment=speed.stage_environment())
                runs.append({"seed": seed, "tutorial": theirs, "ours": ours})
                ways_said = [
                    f"{way} {found['epochs']} epochs, {found['seconds']:.1f} s, {found['accuracy']:.2%}"
                    for way, found in (("tutorial", theirs), ("ours", ours))
                ]
                said = f"{'; '.join(ways_said)}, and {ours['validating']:.1f} s of validation"
                print(f"{model}, seed {seed}: {said}", flush=True)
            summarise(model, runs)


def summarise(model: str, runs: list[dict[str, Any]]) -> None:
    """Write the results of ``model`` and print the median over the seeds with which both ways reached the goal."""
    reached = [run for run in runs if min(run[way]["accuracy"] for way in ("tutorial", "ours")) >= GOAL]
    ratios = [run["tutorial"]["seconds"] / run["ours"]["seconds"] for run in reached]
    median = statistics.median(ratios) if ratios else None
    print(f"{model}: median {median}, both reached {GOAL:.0%} with {len(reached)} of {len(runs)} seeds")
    speed.RESULTS.mkdir(exist_ok=True)
    found = {"title": speed.machine(), "goal": GOAL, "times_as_fast": median, "seeds": runs}
    write_json(speed.RESULTS / f"target_{model}.json", found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "models", nargs="*", default=list(tutorial.NETWORKS), metavar="model", type=ways.one_of(tutorial.NETWORKS)
    )
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    main(options.models, options.seeds)
