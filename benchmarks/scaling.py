"""Whether an example takes the same time in ten times the data.

    python benchmarks/scaling.py [--model lenet] [--rounds 3]

Epochs of Fashion-MNIST, and of it repeated ten times, take turns in one process, with the loop of the stage `train`.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import speed
import target
import ways

from pipeline.network.batches import Rows
from pipeline.training import loop
from pipeline.training.run import Unwatched, prepare

TIMES = (1, 10)


def measure(model: str, num_rounds: int, folder: Path) -> dict[int, list[float]]:
    """Microseconds for an example, of each round, with so many times the data."""
    os.chdir(folder)
    job = prepare(model, ways.CASES[model].content(model, "fp32", 1))
    images, labels = job.train[0].take(next(job.train[0].batches(len(job.train[1])))), job.train[1]
    splits = {times: (Rows(images.repeat(times, 1, 1, 1)), labels.repeat(times)) for times in TIMES}
    taken: dict[int, list[float]] = {times: [] for times in TIMES}
    for turn in range(num_rounds + 1):
        for times, split in splits.items():
            begun = time.perf_counter()
            loop._train_epoch(job.task, split, job.options, turn, loop.State(), Unwatched())
            if turn:  # what is done once was done in the first
                taken[times].append((time.perf_counter() - begun) / len(split[1]) * 1e6)
    return taken


def main(model: str, num_rounds: int) -> None:
    """Print microseconds for an example, and the ratio."""
    with tempfile.TemporaryDirectory() as name:
        ways.lay_out([model], Path(name))
        taken = target.apart(measure, model, num_rounds, Path(name), environment=speed.stage_environment())
    ratios = [b / a for a, b in zip(*taken.values(), strict=True)]
    one, many = map(statistics.median, taken.values())
    print(
        f"{model}: {one:.1f} us an example, {many:.1f} us in ten times the data: {statistics.median(ratios):.3f} times "
        f"({min(ratios):.3f} to {max(ratios):.3f}, {num_rounds} rounds)"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="lenet", choices=[name for name in ways.CASES if name != "text_lstm"])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    main(options.model, options.rounds)
