"""Judge a prediction of numbers by the test set."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from pipeline.core.schema import Schema
from pipeline.core.storage import Examples

if TYPE_CHECKING:
    from pipeline.evaluation.subject import Subject

#: Whether a network of this task makes images, which ``compare`` can set beside real ones.
MAKES_IMAGES = False
#: What :func:`evaluate` measures.
NAMES = ("rmse", "mae", "r2", "num_examples")


class Options(Schema):
    """The subtree ``runs.<run>.evaluate``; ``batch_size`` examples are evaluated at once, which changes no metric."""

    batch_size: int = Field(default=1000, gt=0, le=1_000_000)


def evaluate(subject: "Subject", options: Options, folder: Path) -> dict[str, float]:
    """Run the network over the test split, and :func:`judge` what it answers."""
    # Here and not above, so that checking the options takes no time.
    from pipeline.evaluation.inference import outputs

    return judge(outputs(subject, options.batch_size), subject.test, folder)


def judge(outputs: np.ndarray, test: Examples, folder: Path) -> dict[str, float]:
    """Measure, and draw into ``folder / "pictures"``, which exists.

    Args:
        outputs: float32 (N, 1) predictions.
        test: the examples, with float32 (N,) targets.
        folder: its folders ``curves``, ``confusion`` and ``pictures`` exist and are empty.

    Returns:
        ``rmse`` and ``mae`` in units of the target, ``r2`` (1 is perfect, 0 is no better than the mean).
    """
    from sklearn import metrics

    from pipeline.evaluation.pictures import draw_predictions

    predicted, truth = outputs[:, 0].astype(np.float64), test.targets.astype(np.float64)
    draw_predictions(truth, predicted, folder / "pictures/predictions.png")
    return {
        "rmse": float(metrics.root_mean_squared_error(truth, predicted)),
        "mae": float(metrics.mean_absolute_error(truth, predicted)),
        "r2": float(metrics.r2_score(truth, predicted)),
        "num_examples": len(truth),
    }
