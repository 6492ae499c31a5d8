"""Judge a classifier by its test set: numbers, curves, confusions and the mistakes it was surest of."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, NonNegativeInt, PositiveInt

from pipeline.core.schema import Schema
from pipeline.core.storage import Examples, Meta

if TYPE_CHECKING:
    from pipeline.evaluation.subject import Subject

#: Whether a network of this task makes images, which ``compare`` can set beside real ones.
MAKES_IMAGES = False
#: What :func:`evaluate` measures.
NAMES = (
    "accuracy",
    *(f"{name}_{average}" for average in ("macro", "weighted") for name in ("precision", "recall", "f1")),
    "roc_auc", "average_precision", "rmse", "nll", "ece", "num_examples",
)  # fmt: skip


class Options(Schema):
    """The subtree ``runs.<run>.evaluate``.

    Attributes:
        batch_size: examples evaluated at once; it changes no metric.
        calibration_bins: equal parts of [0, 1] in which confidence is compared with accuracy.
        num_mistakes: how many of the most confident mistakes are drawn.
    """

    batch_size: int = Field(default=1000, gt=0, le=1_000_000)
    calibration_bins: PositiveInt = 15
    num_mistakes: NonNegativeInt = 25


def evaluate(subject: "Subject", options: Options, folder: Path) -> dict[str, float]:
    """Run the network over the test split, and :func:`judge` what it answers."""
    # Here and not above, so that checking the options takes no time.
    from pipeline.evaluation.inference import outputs

    return judge(outputs(subject, options.batch_size), subject.test, subject.meta, options, folder)


def judge(outputs: np.ndarray, test: Examples, meta: Meta, options: Options, folder: Path) -> dict[str, float]:
    """Measure, and draw into ``folder``.

    Args:
        outputs: float32 (N, K) logits.
        test: the examples; every class occurs among their targets.
        meta: names the classes.
        options: see :class:`Options`.
        folder: its folders ``curves``, ``confusion`` and ``pictures`` exist and are empty.

    Returns:
        The metrics. ``roc_auc`` and ``average_precision`` are means over classes, each against the rest; ``rmse`` is
        that of the probabilities against the one-hot truth; ``nll`` is in nats; ``ece`` is the expected calibration
        error. Those with an average in their name are scikit-learn's.
    """
    from scipy.special import softmax

    from pipeline.evaluation.pictures import draw_mistakes, draw_text_mistakes
    from pipeline.evaluation.tables import write_csv

    probabilities = softmax(outputs.astype(np.float64), axis=1)
    predicted = outputs.argmax(axis=1)
    names = np.array(meta.classes)
    _draw_curves(test.targets, probabilities, options.calibration_bins, folder / "curves")
    write_csv(folder / "confusion/confusion.csv", ("actual", "predicted"), names[test.targets], names[predicted])
    draw = {"image": draw_mistakes, "text": draw_text_mistakes}.get(meta.spec.modality)
    if draw:
        file = folder / "pictures/mistakes.png"
        draw(test.inputs, test.targets, probabilities, meta.classes, options.num_mistakes, file)
    return _measure(test.targets, predicted, probabilities, options.calibration_bins)


def _measure(targets: np.ndarray, predicted: np.ndarray, probabilities: np.ndarray, num_bins: int) -> dict[str, float]:
    from sklearn import metrics

    from pipeline.evaluation.calibration import expected_calibration_error

    one_hot = np.eye(probabilities.shape[1])[targets]
    scores = {
        average: metrics.precision_recall_fscore_support(targets, predicted, average=average, zero_division=0)[:3]
        for average in ("macro", "weighted")
    }
    return {
        "accuracy": float(metrics.accuracy_score(targets, predicted)),
        **{
            f"{name}_{average}": float(value)
            for average, values in scores.items()
            for name, value in zip(("precision", "recall", "f1"), values, strict=True)
        },
        "roc_auc": float(metrics.roc_auc_score(one_hot, probabilities, average="macro")),
        "average_precision": float(metrics.average_precision_score(one_hot, probabilities, average="macro")),
        "rmse": float(metrics.root_mean_squared_error(one_hot.ravel(), probabilities.ravel())),
        "nll": float(metrics.log_loss(one_hot, probabilities)),
        "ece": expected_calibration_error(targets, probabilities, num_bins),
        "num_examples": len(targets),
    }


def _draw_curves(targets: np.ndarray, probabilities: np.ndarray, num_bins: int, folder: Path) -> None:
    from pipeline.evaluation import curves
    from pipeline.evaluation.calibration import calibration
    from pipeline.evaluation.tables import write_csv

    one_hot = np.eye(probabilities.shape[1])[targets]
    tables = {
        "roc": (curves.GRID, curves.mean_roc(one_hot, probabilities)),
        "precision_recall": (curves.GRID, curves.mean_precision_recall(one_hot, probabilities)),
        "calibration": calibration(targets, probabilities, num_bins)[1:],  # confidence, accuracy
    }
    for name, (x, y) in tables.items():
        # The same column names in each: DVC plots a folder of tables by one pair. Six digits are more than it can show.
        write_csv(folder / f"{name}.csv", ("x", "y"), x, y, digits=6)
