"""How much longer a training takes because MLflow is told of it: pairs with and without, one after the other.

    git clone . /tmp/clone && cd /tmp/clone                        # it trains into outputs/
    cp examples/mnist.yaml params.yaml && dvc repro preprocess
    python benchmarks/tracking.py cnn --pairs 5

Each training is the stage in a process of its own, with an empty store. Timed is from the end of its first epoch to the
end of its last: what comes before and after is start-up and the wait for MLflow, which the total shows.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def train(run: str, tracking: str) -> tuple[float, float]:
    """Train ``runs.<run>`` from the start; the seconds of its epochs but the first, and those of the whole process."""
    shutil.rmtree(Path(".pipeline/checkpoints") / run, ignore_errors=True)
    with tempfile.TemporaryDirectory() as root:
        environment = {
            **os.environ,
            "PYTHONPATH": "src",
            "PIPELINE_TRACKING": tracking,
            "DVC_ROOT": root,
            "MLFLOW_TRACKING_URI": f"sqlite:///{root}/mlflow.db",
        }
        begun = time.perf_counter()
        command = [sys.executable, "stages/train.py", run]
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        epochs = [time.perf_counter() for line in process.stderr if "  epoch " in line]
        status = process.wait()
        total = time.perf_counter() - begun
    if status or len(epochs) < 2:
        sys.exit(f"error: the training of {run} ended with status {status} after {len(epochs)} epochs")
    return epochs[-1] - epochs[0], total


def main(run: str, num_pairs: int) -> None:
    """Print each pair's times, and the median overhead."""
    overheads = []
    for pair in range(num_pairs):
        # The order alternates, so that a machine that gets slower or faster favours neither.
        order = ("on", "off") if pair % 2 else ("off", "on")
        times = {tracking: train(run, tracking) for tracking in order}
        (on, on_total), (off, off_total) = times["on"], times["off"]
        overheads.append(on / off - 1)
        print(f"on {on:.2f} s (total {on_total:.1f})  off {off:.2f} s (total {off_total:.1f})  {overheads[-1]:+.2%}")
    spread = f"{min(overheads):+.2%} to {max(overheads):+.2%}"
    print(f"{run}: median overhead {statistics.median(overheads):+.2%} of {num_pairs} pairs, {spread}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--pairs", type=int, default=5)
    arguments = parser.parse_args()
    main(arguments.run, arguments.pairs)
