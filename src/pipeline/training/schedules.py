"""Learning-rate schedules as functions of progress: nothing to save, nothing to restore."""

import math

from pipeline.training.options import Constant, Cosine, OneCycle


def factor(schedule: Constant | Cosine | OneCycle, step: int, num_steps: int) -> float:
    """What the learning rate is multiplied by at ``step`` (from 0) of ``num_steps``; between 0 and 1."""
    if isinstance(schedule, Constant):
        return 1.0
    progress = (step + 1) / (num_steps + 1)  # neither the first nor the last step is lost on a rate of 0
    if progress < schedule.warmup:
        return progress / schedule.warmup
    left = (1 - progress) / (1 - schedule.warmup)
    return left if isinstance(schedule, OneCycle) else 0.5 - 0.5 * math.cos(math.pi * left)
