"""How much of a training's time goes into its checkpoints.

    cp examples/mnist.yaml params.yaml && dvc repro preprocess
    PYTHONPATH=src python benchmarks/checkpoints.py cnn

Trains the run as `dvc repro` would, with the interval that PIPELINE_CHECKPOINT_SECONDS gives, and keeps nothing of it.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

from torch import Tensor

from pipeline.core import params
from pipeline.training import loop
from pipeline.training.checkpoints import Checkpoints
from pipeline.training.run import prepare
from pipeline.training.task import Row


class Timed:
    """An observer that writes checkpoints when it is time and adds up what that takes."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        self.checkpoints = checkpoints
        self.seconds = 0.0
        self.saves: list[float] = []

    def on_step(self, step: int, losses: dict[str, Tensor]) -> None:
        before, saved_at = time.perf_counter(), self.checkpoints.saved_at
        self.checkpoints.on_step()
        taken = time.perf_counter() - before
        self.seconds += taken
        if self.checkpoints.saved_at != saved_at:
            self.saves.append(taken)

    def on_epoch(self, row: Row) -> None: ...


def main(run: str) -> None:
    """Train ``runs.<run>`` and print the share of its time that checkpoints took."""
    job = prepare(run, params.read())
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        os.chdir(folder)
        state = loop.State()
        timed = Timed(Checkpoints(run, "benchmark", job.task, state))
        begun = time.perf_counter()
        loop.fit(job.task, job.train, job.val, job.options, job.seed, job.better, state, timed)
        total = time.perf_counter() - begun
        os.chdir("..")
    longest = max(timed.saves, default=0.0)
    print(
        f"{run}: {total:.1f} s of training, {state.step} steps, {len(timed.saves)} checkpoints of at most "
        f"{longest * 1e3:.0f} ms: {timed.seconds / total:.3%} of the time"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    main(parser.parse_args().run)
