"""Does a classifier that says 90% get 90% right?"""

import numpy as np


def calibration(
    targets: np.ndarray, probabilities: np.ndarray, num_bins: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compare confidence with accuracy in equal bins of confidence.

    Args:
        targets: int64 (N,) class indices.
        probabilities: float64 (N, K).
        num_bins: parts of [0, 1].

    Returns:
        Number of examples, mean confidence and accuracy of each bin that has examples, each of shape (bins,).
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == targets
    bins = np.minimum((confidence * num_bins).astype(np.int64), num_bins - 1)
    counts = np.bincount(bins, minlength=num_bins)
    sums = [np.bincount(bins, weights=values, minlength=num_bins) for values in (confidence, correct)]
    used = counts > 0
    return counts[used], sums[0][used] / counts[used], sums[1][used] / counts[used]


def expected_calibration_error(targets: np.ndarray, probabilities: np.ndarray, num_bins: int) -> float:
    """Mean distance between confidence and accuracy, weighted by examples (C. Guo et al., 2017, equation 5).

    ``targets`` are int64 (N,), ``probabilities`` float64 (N, K), as for :func:`calibration`.
    """
    counts, confidence, accuracy = calibration(targets, probabilities, num_bins)
    return float((counts * np.abs(confidence - accuracy)).sum() / counts.sum())
