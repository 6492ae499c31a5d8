"""ROC and precision-recall curves, averaged over classes as the metrics ``roc_auc`` and ``average_precision`` are."""

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve

#: Where a curve is drawn; more points can't be told apart on a screen.
GRID = np.linspace(0, 1, 201)


def mean_roc(one_hot: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """True-positive rate at the false-positive rates of ``GRID``, mean over classes: (N, K) and (N, K) -> (201,)."""
    curves = [roc_curve(truth, score)[:2] for truth, score in zip(one_hot.T, probabilities.T, strict=True)]
    return np.mean([np.interp(GRID, false_positive, true_positive) for false_positive, true_positive in curves], axis=0)


def mean_precision_recall(one_hot: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Precision at the recalls of ``GRID``, mean over classes: (N, K) and (N, K) -> (201,)."""
    curves = [precision_recall_curve(truth, score)[:2] for truth, score in zip(one_hot.T, probabilities.T, strict=True)]
    # scikit-learn lists falling recalls, interpolation wants rising ones.
    return np.mean([np.interp(GRID, recall[::-1], precision[::-1]) for precision, recall in curves], axis=0)
