"""Kill stages at random moments and check that the pipeline still ends in the bytes of an uninterrupted run.

    python tools/chaos.py --kills 50 --seed 0        # or: make chaos

Each round makes one stage run anew, sends SIGKILL to it and to DVC at a random moment, and lets `dvc repro` finish the
work. The stage's outputs are removed from DVC's cache, so that nothing is restored that should have been computed. At
least half of the rounds kill a training, each model in turn.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from project import Workspace, copy_project

RUN = """\
  {model}:
    task: classification
    dataset: digits
    model: {{name: {model}}}
    train:
      epochs: 3
      batch_size: 20
      optimizer: {{name: adam, lr: 0.002}}
      loss: {{name: cross_entropy}}
      schedule: {{name: one_cycle}}
      augment: {{shift: 1}}
    evaluate: {{batch_size: 500}}
    export: {{batch_size: 500}}
"""
MODELS = ("linear", "lenet", "cnn", "lstm", "resnet")
PARAMS = (
    "seed: 3\nnum_threads: 1\ndatasets:\n"
    "  digits: {kind: digits, path: data/digits.md5, image_size: 12}\ncomparisons: {}\nruns:\n"
    + "".join(RUN.format(model=model) for model in MODELS)
)
OTHER_STAGES = (
    ("download@digits",),
    ("preprocess@digits",),
    *([f"{group}@{model}" for model in MODELS] for group in ("evaluate", "export")),
)


def main() -> None:
    """Parse the arguments, run the rounds, and exit with 1 if any of them ended in other bytes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)  # noqa: S311
    with tempfile.TemporaryDirectory() as folder:
        workspace = copy_project(Path(folder), PARAMS)
        workspace.repro()
        expected = contents(workspace)
        durations: dict[str, float] = {}
        failures = kills = 0
        while kills < arguments.kills:
            model = MODELS[kills // 2 % len(MODELS)]
            stage = chance.choice(chance.choice(OTHER_STAGES)) if kills % 2 else f"train@{model}"
            killed, said = strike(workspace, stage, chance, durations)
            found = contents(workspace)
            others = sorted(name for name in found | expected if found.get(name) != expected.get(name))
            kills += killed
            failures += bool(others)
            outcome = f"OTHER BYTES in {', '.join(others)}" if others else "same bytes"
            print(f"{kills:3d}/{arguments.kills} {stage}: {said}; {outcome}", flush=True)
    print(f"{kills} kills, {failures} ended in other bytes than those of an uninterrupted run")
    sys.exit(failures > 0)


def strike(workspace: Workspace, stage: str, chance: random.Random, durations: dict[str, float]) -> tuple[bool, str]:
    """Kill ``stage`` once and let the pipeline finish; returns whether the kill was in time, and what happened."""
    if stage not in durations:
        process = start(workspace, stage)
        begun = time.monotonic()
        assert process.wait() == 0, f"{stage} failed without a kill"
        durations[stage] = time.monotonic() - begun
    forget(workspace, stage)
    process = start(workspace, stage)
    delay = chance.uniform(0, durations[stage])
    try:
        assert process.wait(delay) == 0, f"{stage} failed by itself"
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    # As `make repro` does it.
    recovered = workspace.run("python", "-m", "pipeline.recovery", PYTHONPATH="src").stderr.splitlines()
    finished = workspace.run("dvc", "repro", PIPELINE_CHECKPOINT_SECONDS="0")
    if f"Running stage '{stage}'" not in finished.stdout:
        return False, "not killed: it was done"
    resumed = [line for line in finished.stderr.splitlines() if "going on from the checkpoint" in line]
    assert resumed or not stage.startswith("train@"), f"{stage} began anew"
    return True, ", ".join([f"killed after {delay:.1f} of {durations[stage]:.1f} s", *recovered, *resumed])


def start(workspace: Workspace, stage: str) -> "subprocess.Popen[str]":
    """Make ``stage`` run anew; returns once DVC has started it, and a training at its first checkpoint."""
    kind, _, name = stage.partition("@")
    checkpoints = workspace.root / ".pipeline/checkpoints" / name
    shutil.rmtree(checkpoints, ignore_errors=True)  # of the finished training before
    # The interval 0 writes a checkpoint at every step: killed while writing one is the likeliest case.
    command = ("dvc", "repro", "--force", "--single-item", stage)
    process = workspace.start(*command, stderr=subprocess.DEVNULL, PIPELINE_CHECKPOINT_SECONDS="0")
    assert process.stdout
    assert any(line.startswith("> ") for line in process.stdout), f"DVC has not started {stage}"
    while kind == "train" and not list(checkpoints.rglob("*.pt")) and process.poll() is None:
        time.sleep(0.01)
    return process


def forget(workspace: Workspace, stage: str) -> None:
    """Remove the outputs of ``stage`` from DVC's cache, from which they would be restored instead of made again.

    What other stages made alike (an empty folder) stays: without it DVC would run those too and record them in between.
    """
    made = {name: {out["md5"] for out in entry.get("outs", ())} for name, entry in workspace.lock().items()}
    for md5 in made.pop(stage).difference(*made.values()):
        (workspace.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]).unlink(missing_ok=True)


def contents(workspace: Workspace) -> dict[str, bytes]:
    """Every output of every stage."""
    folders = ("data/raw", "data/processed", "outputs")
    files = [file for name in folders for file in (workspace.root / name).rglob("*") if file.is_file()]
    return {str(file.relative_to(workspace.root)): file.read_bytes() for file in files}


if __name__ == "__main__":
    main()
