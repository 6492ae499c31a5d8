"""`make sweep`: train a run with other parameters, as DVC experiments, and say which validate best.

Without TRIALS every combination is tried, with it Optuna chooses. The test set takes no part: experiments only train,
and `dvc exp apply` with `dvc repro` judges the one that was chosen.
"""

import argparse
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from typing import Any

from pipeline import arguments as reading
from pipeline.core import params, rooms
from pipeline.core.schema import nearest
from pipeline.sweeping import space
from pipeline.sweeping.experiments import Experiment, Experiments
from pipeline.sweeping.space import Values


def main(arguments: argparse.Namespace) -> int:
    """Sweep and return the exit status: 1 if an experiment failed.

    Raises:
        ValueError: a mistake in the arguments, found before anything runs, or an error of DVC or MLflow.
    """
    content = params.read()
    wanted = space.parse(arguments.space)
    space.check(wanted, arguments.run, content)
    section = content["runs"][arguments.run]
    metric = arguments.metric or section["train"].get("monitor", "val_loss")
    better = _better(section["task"], metric)
    name = arguments.sweep or f"{arguments.run}-{'search' if arguments.trials else 'grid'}"
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise ValueError(f"SWEEP={name}: use small letters, digits, '_' and '-'")
    grid = [] if arguments.trials else space.grid(wanted)
    experiments = Experiments(name, arguments.run, metric, arguments.jobs)
    shown = _Shown(experiments, arguments.trials or len(grid))
    if arguments.trials:
        from pipeline.sweeping.searching import search

        search(wanted, arguments.trials, arguments.jobs, content["seed"], better, lambda t: list(shown.results(t)))
    else:
        list(shown.results(grid))

    succeeded = [found for found in shown.found.values() if not found.error]
    failed = [found for found in shown.found.values() if found.error]
    if succeeded:
        best = better(succeeded, key=lambda found: found.value)
        _say(f"best: {metric} {best.value:.6g} with {space.as_text(best.values)}")
        _say(f"take it over: dvc exp apply {best.name} && dvc repro")
    for found in failed:
        sys.stderr.write(f"error: {found.name} failed: {found.error}\n")
    if os.environ.get("PIPELINE_TRACKING") != "off":
        command = ["make", "sweep", *(f"{key.upper()}={value}" for key, value in vars(arguments).items() if value)]
        facts = [section["task"], section["dataset"], metric, better, arguments.space, shlex.join(command)]
        _record([name, arguments.run, *facts, experiments.state], succeeded, failed)
    return 1 if failed else 0


class _Shown:
    """Prints a line for each experiment that is done, once."""

    def __init__(self, experiments: Experiments, total: int) -> None:
        self.experiments, self.total = experiments, total
        self.found: dict[str, Experiment] = {}

    def results(self, trials: list[Values]) -> Iterator[Experiment]:
        for found in self.experiments.results(trials):
            if found.name not in self.found:
                self.found[found.name] = found
                outcome = "failed" if found.error else f"{self.experiments.metric} {found.value:.6g}"
                tried = space.as_text(found.values)
                _say(f"{len(self.found)}/{self.total}  {found.name}  {outcome}  {tried}")
            yield found


def _record(facts: list[Any], succeeded: list[Experiment], failed: list[Experiment]) -> None:
    from pipeline.tracking.publishing import describe, open_store

    try:
        store = open_store()
        # It imports MLflow, which must be told its settings before.
        from pipeline.sweeping.recording import Sweep, record

        record(store, Sweep(*facts), succeeded, failed)
    # Whatever MLflow raises, the experiments are kept by DVC.
    except Exception as error:
        raise ValueError(f"{describe(error)}; MLflow lacks the sweep until the same command is called again") from None


def _better(task: str, metric: str) -> Callable[..., Any]:
    metrics: dict[str, Callable[..., Any]] = rooms.load("tasks", task, "task").METRICS
    if metric not in metrics:
        raise ValueError(f"METRIC={metric} is no validation metric; {nearest(metric, metrics)}")
    return metrics[metric]


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


_positive.__name__ = "number above 0"  # which argparse names in its error


if __name__ == "__main__":
    usage = "make sweep RUN=<run> SPACE=<space> [TRIALS=<number>] [JOBS=<number>] [SWEEP=<name>] [METRIC=<metric>]"
    parser = reading.parser(__doc__, usage)
    parser.add_argument("run", metavar="RUN", help="the run of params.yaml that is varied")
    parser.add_argument(
        "space", metavar="SPACE", help="NAME=VALUE,VALUE… or, with --trials, NAME=LOW..HIGH or NAME=LOW..HIGH:log"
    )
    parser.add_argument("--trials", type=_positive, help="search by Optuna instead of trying every combination")
    parser.add_argument("--jobs", type=_positive, default=1, help="experiments at a time")
    parser.add_argument("--sweep", help="name of the sweep: RUN-grid or RUN-search")
    parser.add_argument("--metric", help="of the validation set: the run's train.monitor")
    try:
        sys.exit(main(parser.parse_args()))
    except (ValueError, OSError) as problem:
        sys.exit(f"error: {problem}")
    except KeyboardInterrupt:
        _say("interrupted: queued experiments go on; `dvc queue stop --kill` ends them, the same command waits again")
        sys.exit(130)
