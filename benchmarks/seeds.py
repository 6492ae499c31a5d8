"""What the runs of an example come to with several seeds: metrics on the test set, epochs and seconds of training.

    python benchmarks/seeds.py examples/mnist.yaml [lenet cnn ...] [--seeds 5] [--precision bf16] [--epochs 3]
        [--jobs 2]

A seed decides all that is random: the split, the weights, the order, the noise. A run trains as its stage does, without
DVC and MLflow, in a process of its own; what validation measures after an epoch is then measured on the test set. Of
the seconds of training, those that validation took are also there by themselves.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import speed
import ways
from ruamel.yaml import YAML
from torch import Tensor

from pipeline.core import storage
from pipeline.core.files import write_json
from pipeline.network import batches
from pipeline.training import loop
from pipeline.training.run import prepare
from pipeline.training.task import Row


class Clock:
    """Counts the seconds from the last step of an epoch to its end; see :class:`pipeline.training.loop.Observer`."""

    def __init__(self) -> None:
        self.validating, self.last_step = 0.0, 0.0

    def on_step(self, step: int, losses: dict[str, Tensor]) -> None:
        self.last_step = time.perf_counter()

    def on_epoch(self, row: Row) -> None:
        self.validating += time.perf_counter() - self.last_step


def learn(content: dict[str, Any], run: str, folder: Path) -> dict[str, float]:
    """Train ``runs.<run>`` of the parsed example ``content`` in ``folder``, where its data are; what came of it."""
    os.chdir(folder)
    job = prepare(run, content)
    state, clock, begun = loop.State(), Clock(), time.perf_counter()
    loop.fit(job.task, job.train, job.val, job.options, job.seed, job.better, state, clock)
    seconds = time.perf_counter() - begun
    tensors = storage.read(Path("data/processed") / content["runs"][run]["dataset"], "test")
    test = batches.of(tensors, job.device), tensors["targets"].to(job.device)
    measured = loop.validate(job.task, test)
    found = {name.replace("val_", "test_"): value for name, value in measured.items()}
    times = {"seconds": seconds, "validating": clock.validating}
    return {"seed": content["seed"], "epochs": len(state.history), **times, **found}


def contents(example: Path, num_seeds: int, changes: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The parsed ``example`` with the seeds from 1 on and ``changes`` to how its runs train."""
    for seed in range(1, num_seeds + 1):
        content = YAML(typ="safe").load(example) | {"seed": seed}
        for run in content["runs"].values():
            run["train"] |= {"sample_epochs": [], **changes}
        yield content


def spread(found: list[dict[str, float]]) -> str:
    """Median, least and most of each number but the seed."""
    columns = {name: [one[name] for one in found] for name in found[0] if name != "seed"}
    return ", ".join(
        f"{name} {statistics.median(values):.4g} ({min(values):.4g} to {max(values):.4g})"
        for name, values in columns.items()
    )


def main(options: argparse.Namespace) -> None:
    """Measure, print a line a run, and write the results."""
    wanted = {"precision": options.precision, "epochs": options.epochs}
    changes = {name: value for name, value in wanted.items() if value}
    every = list(contents(options.example, options.seeds, changes))
    runs = options.runs or list(every[0]["runs"])
    if unknown := set(runs) - set(every[0]["runs"]):
        sys.exit(f"error: {', '.join(unknown)} is not in {options.example}: {', '.join(every[0]['runs'])}")
    with tempfile.TemporaryDirectory() as name, ways.environment(speed.stage_environment()):
        pairs = [(content, Path(name) / str(content["seed"])) for content in every]
        for content, folder in pairs:
            folder.mkdir()
            ways.set_up(folder)
            for key in {content["runs"][run]["dataset"] for run in runs}:
                ways.prepare_data(content["datasets"][key], folder, key, content["seed"])
        # A process for each training, so that memory and threads are as a stage has them.
        with ProcessPoolExecutor(options.jobs, get_context("spawn"), max_tasks_per_child=1) as pool:
            trainings = {run: [pool.submit(learn, content, run, folder) for content, folder in pairs] for run in runs}
            found = {}
            for run, waiting in trainings.items():
                found[run] = [training.result() for training in waiting]
                print(f"{run}: {spread(found[run])}", flush=True)
    title = f"{changes or 'as in the example'}; {options.jobs} at a time; {speed.machine()}"
    suffix = "".join(f"_{value}" for value in [*options.runs, *changes.values()])
    write_json(speed.RESULTS / f"seeds_{options.example.stem}{suffix}.json", {"title": title, "runs": found})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("example", type=Path)
    parser.add_argument("runs", nargs="*")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--precision", choices=["fp32", "bf16"], help="instead of the example's")
    parser.add_argument("--epochs", type=int, help="instead of the example's")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time")
    main(parser.parse_args())
