"""When a model may become its name's champion: the subtree ``runs.<run>.promote`` of ``params.yaml``."""

from typing import Literal

from pydantic import NonNegativeFloat

from pipeline.core.schema import Schema


class Criterion(Schema):
    """What a champion must reach.

    Attributes:
        metric: a key of ``metrics.json`` or, of a generator, ``comparison_metrics.json``.
        direction: whether larger (``max``) or smaller (``min``) is better.
        threshold: the worst value that is good enough.
        margin: by how much the present champion must be surpassed; by more than nothing if it is 0.
    """

    metric: str
    direction: Literal["max", "min"]
    threshold: float
    margin: NonNegativeFloat = 0.0

    def objection(self, value: float, champion: float | None) -> str | None:
        """Why a model may not become champion; None if it may.

        Args:
            value: the metric of the model.
            champion: that of the present champion on the same test data; None if there is no champion.
        """
        sign = 1 if self.direction == "max" else -1
        if sign * value < sign * self.threshold:
            return f"{self.metric} {value:g} misses the threshold {self.threshold:g} ({self.direction})"
        if champion is None:
            return None
        gain = sign * (value - champion)
        if gain <= 0 or gain < self.margin:
            return f"{self.metric} {value:g} isn't better than the champion's {champion:g} by {self.margin:g}"
        return None
