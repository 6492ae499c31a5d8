"""What a stage takes besides its work, and what importing the libraries that it uses takes.

    git clone . /tmp/clone && cd /tmp/clone && dvc repro       # the stages write into outputs/
    python benchmarks/overhead.py [--rounds 5]

The work is what the stage's function takes when it is called a second time in one process, when everything is imported
and warm. Its overhead is the time of the process minus that. Beside it, in turns: a process that imports the same
modules and ends. MLflow is off: the publishing process has a core of its own.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time

import speed

STAGES = ("preprocess digits", "train linear", "evaluate lenet", "export lenet", "compare gan")
#: Calls the function twice; prints the seconds of the second time, then the libraries' modules as they were imported.
TWICE = """
import importlib.util, shutil, sys, time
name, argument = sys.argv[1:]
spec = importlib.util.spec_from_file_location(name, f"stages/{name}.py")
stage = importlib.util.module_from_spec(spec)
spec.loader.exec_module(stage)
stage.main(argument)
shutil.rmtree(".pipeline/checkpoints", ignore_errors=True)  # or there would be nothing left to train
begun = time.perf_counter()
stage.main(argument)
print(time.perf_counter() - begun)
print(*[name for name in sys.modules if not name.startswith(("pipeline", "__"))])
"""
IMPORT = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ImportError:  # made by its parent, not found by its name
        pass
"""


def seconds(*command: str) -> float:
    """How long a command takes, without a checkpoint to go on from."""
    shutil.rmtree(".pipeline/checkpoints", ignore_errors=True)
    begun = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begun


def main(num_rounds: int) -> None:
    """Print a line a stage."""
    os.environ.update(speed.stage_environment(), PIPELINE_TRACKING="off")
    for stage in STAGES:
        name, argument = stage.split()
        done = subprocess.run([sys.executable, "-c", TWICE, name, argument], check=True, capture_output=True, text=True)
        work, modules = done.stdout.splitlines()[-2:]
        turns = [
            (
                seconds(sys.executable, f"stages/{name}.py", argument) - float(work),
                seconds(sys.executable, "-c", IMPORT, *modules.split()),
            )
            for _ in range(num_rounds)
        ]
        ratio = statistics.median(overhead / imports for overhead, imports in turns)
        overhead, imports = (statistics.median(values) for values in zip(*turns, strict=True))
        print(
            f"{stage}: work {float(work):.2f} s, overhead {overhead:.2f} s, imports alone {imports:.2f} s: "
            f"{ratio:.2f} times (medians of {num_rounds})",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    main(parser.parse_args().rounds)
