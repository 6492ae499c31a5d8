import numpy as np
import pytest

from pipeline.preprocessing import statistics


def test_channels_of_images() -> None:
    images = np.random.default_rng(0).integers(0, 256, (5000, 3, 4, 4), np.uint8)
    images[:, 2] = 255
    mean, std = statistics.of_images(images)
    scaled = images / 255
    assert mean == pytest.approx(scaled.mean(axis=(0, 2, 3)), abs=1e-12)
    assert std == pytest.approx(scaled.std(axis=(0, 2, 3)), abs=1e-9)
    assert (mean[2], std[2]) == (1, 0)


def test_features_of_a_table() -> None:
    mean, std = statistics.of_table(np.array([[1, 10], [3, 10]], np.float32))
    assert (mean, std) == ([2, 10], [1, 0])
