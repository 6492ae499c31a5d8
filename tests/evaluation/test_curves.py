import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from pipeline.evaluation import curves


@pytest.fixture
def scores():
    generator = np.random.default_rng(0)
    targets = generator.integers(0, 3, 3000)
    one_hot = np.eye(3)[targets]
    noisy = one_hot + generator.normal(size=one_hot.shape)
    return one_hot, np.exp(noisy) / np.exp(noisy).sum(1, keepdims=True)


def test_the_area_under_the_roc_curve_is_the_metric(scores):
    area = np.trapezoid(curves.mean_roc(*scores), curves.GRID)
    assert area == pytest.approx(roc_auc_score(*scores, average="macro"), abs=2e-3)


def test_the_area_under_the_precision_recall_curve_is_the_metric(scores):
    area = np.trapezoid(curves.mean_precision_recall(*scores), curves.GRID)
    assert area == pytest.approx(average_precision_score(*scores, average="macro"), abs=5e-3)
