"""How much longer a training takes because MLflow is told of it, epoch by epoch within one training.

    git clone . /tmp/clone && cd /tmp/clone             # it trains into outputs/
    dvc repro preprocess@digits
    python benchmarks/tracking.py cnn --epochs 200

The publishing process beside the training is held (SIGSTOP) in every other epoch, so what makes the whole machine
faster or slower meets both kinds alike. After a held epoch it has two epochs' work to do, which is counted against it.
Its start, which costs the same for a short and a long training, is told apart as processor seconds.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from ruamel.yaml import YAML

START = 10.0  # seconds in which the publisher imports MLflow and makes the store
#: The stage, with a line for every epoch.
TRAIN = """\
import runpy
from pipeline.watching import progress
progress.NUM_LINES = 1_000_000
runpy.run_path("stages/train.py", run_name="__main__")
"""


def publisher_of(training: psutil.Process) -> psutil.Process:
    """The process that publishes what ``training`` records."""
    return next(child for child in training.children() if "pipeline.tracking.publisher" in child.cmdline())


def measure(run: str, root: Path) -> tuple[list[float], list[float], float]:
    """Train ``runs.<run>``: the seconds of epochs with a working and with a held publisher, and its start's CPU."""
    environment = {
        **os.environ,
        "PYTHONPATH": "src",
        "DVC_ROOT": str(root),
        "MLFLOW_TRACKING_URI": f"sqlite:///{root}/mlflow.db",
    }
    command = [sys.executable, "-c", TRAIN, run]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    training = psutil.Process(process.pid)
    working: list[float] = []
    suspended: list[float] = []
    publisher, started, cost = None, 0.0, 0.0
    begun, held = time.perf_counter(), False
    assert process.stderr is not None
    for line in process.stderr:
        if "  epoch " not in line:
            continue
        now = time.perf_counter()
        if publisher is None:
            publisher, started = publisher_of(training), now
        if cost:
            (suspended if held else working).append(now - begun)
            held = not held
            publisher.suspend() if held else publisher.resume()
        elif now - started > START:
            times = publisher.cpu_times()
            cost = times.user + times.system
        begun = time.perf_counter()
    assert publisher is not None
    publisher.resume()
    if status := process.wait():
        sys.exit(f"error: the training of {run} ended with status {status}")
    publisher.wait()
    return working, suspended, cost


def main(run: str, num_epochs: int) -> None:
    """Print the difference between neighbouring epochs, with a bootstrap interval of its mean."""
    params = Path("params.yaml")
    content = YAML().load(params)
    content["runs"][run]["train"]["epochs"] = num_epochs
    content["runs"][run]["train"].pop("patience", None)
    YAML().dump(content, params)
    shutil.rmtree(Path(".pipeline/checkpoints") / run, ignore_errors=True)
    with tempfile.TemporaryDirectory() as root:
        working, held, cost = measure(run, Path(root))
    num_pairs = min(len(working), len(held))
    overheads = np.array(working[:num_pairs]) / np.array(held[:num_pairs]) - 1
    means = np.random.default_rng(0).choice(overheads, (2000, num_pairs)).mean(1)
    low, high = np.quantile(means, [0.025, 0.975])
    print(
        f"{run}: {num_pairs} pairs of epochs of {np.median(held):.2f} s (median): overhead {overheads.mean():+.2%} "
        f"(mean; 95% interval {low:+.2%} to {high:+.2%}), median {np.median(overheads):+.2%}; "
        f"the publisher's start took {cost:.1f} s of one core"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--epochs", type=int, default=200)
    arguments = parser.parse_args()
    main(arguments.run, arguments.epochs)
