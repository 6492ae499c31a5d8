import numpy as np
import pytest

from pipeline.evaluation.calibration import calibration, expected_calibration_error


def binary(confidence):
    confidence = np.array(confidence)
    return np.stack([confidence, 1 - confidence], axis=1)


def test_error_is_the_weighted_distance_between_confidence_and_accuracy():
    # Two examples at 0.9, one of them right, and two at 0.6, both right: (2 * 0.4 + 2 * 0.4) / 4.
    probabilities, targets = binary([0.9, 0.9, 0.6, 0.6]), np.array([0, 1, 0, 0])
    assert expected_calibration_error(targets, probabilities, 10) == pytest.approx(0.4)


def test_a_calibrated_classifier_has_no_error():
    probabilities, targets = binary([0.75] * 4 + [1.0] * 3), np.array([0, 0, 0, 1, 0, 0, 0])
    assert expected_calibration_error(targets, probabilities, 15) == pytest.approx(0)


def test_certainty_falls_into_the_last_bin_and_empty_bins_are_left_out():
    counts, confidence, accuracy = calibration(np.array([0, 0]), binary([1.0, 0.51]), 15)
    assert counts.tolist() == [1, 1] and confidence.tolist() == [0.51, 1.0] and accuracy.tolist() == [1, 1]
