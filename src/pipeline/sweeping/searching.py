"""A search by Optuna: what has been measured decides what is tried next."""

from collections.abc import Callable, Iterable
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.study import StudyDirection
from optuna.trial import TrialState

from pipeline.sweeping.experiments import Experiment
from pipeline.sweeping.space import Choice, Range, Space, Values


def search(
    space: Space,
    num_trials: int,
    jobs: int,
    seed: int,
    better: Callable[..., Any],
    run: Callable[[list[Values]], Iterable[Experiment]],
) -> None:
    """Try ``num_trials`` points by the tree-structured Parzen estimator (Bergstra et al., 2011), ``jobs`` at a time.

    The study is in memory: called again, it proposes the same points, whose experiments are finished, and goes on from
    there. So it needs the same seed and number of jobs to be the same search.

    Args:
        space: what to choose from.
        num_trials: how many points; a point proposed twice is measured once.
        jobs: points proposed before the next is measured.
        seed: of the sampler.
        better: ``min`` or ``max``.
        run: gives the experiment of each point, in any order.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    direction = StudyDirection.MAXIMIZE if better is max else StudyDirection.MINIMIZE
    study = optuna.create_study(direction=direction, sampler=optuna.samplers.TPESampler(seed=seed))
    distributions = {name: _distribution(choice) for name, choice in space.items()}
    for start in range(0, num_trials, jobs):
        trials = [study.ask(distributions) for _ in range(min(jobs, num_trials - start))]
        measured = list(run([trial.params for trial in trials]))
        for trial in trials:
            value = next(experiment.value for experiment in measured if experiment.values == trial.params)
            if value is None:
                study.tell(trial, state=TrialState.FAIL)
            else:
                study.tell(trial, value)


def _distribution(choice: Choice | Range) -> BaseDistribution:
    if isinstance(choice, Choice):
        return CategoricalDistribution(choice.values)
    if isinstance(choice.low, int) and isinstance(choice.high, int):
        return IntDistribution(choice.low, choice.high, log=choice.log)
    return FloatDistribution(choice.low, choice.high, log=choice.log)
