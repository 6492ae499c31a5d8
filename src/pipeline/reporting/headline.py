"""The test metrics that say most of a model."""

from collections.abc import Callable
from typing import Any

#: Task -> its metrics, the first before all, and which of two values is better.
METRICS: dict[str, dict[str, Callable[..., Any]]] = {
    "classification": {"accuracy": max, "nll": min},
    "regression": {"rmse": min, "r2": max},
    "vae": {"negative_elbo": min, "frechet_distance": min},
    "gan": {"frechet_distance": min, "coverage": max},
}
