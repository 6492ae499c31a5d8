import numpy as np
import pytest

from pipeline.core.spec import DataSpec
from pipeline.core.storage import Examples, Meta
from pipeline.metrics import regression

SPEC = DataSpec(modality="table", shape=(1,), num_classes=0)
META = Meta(spec=SPEC, classes=(), counts={}, scale=1.0, mean=(0.0,), std=(1.0,))


def test_numbers_that_can_be_counted_by_hand(tmp_path):
    (tmp_path / "pictures").mkdir()
    examples = Examples(np.zeros((3, 1), np.float32), np.array([1, 2, 6], np.float32))
    values = regression.judge(np.array([[1], [4], [5]], np.float32), examples, tmp_path)
    expected = {"rmse": np.sqrt(5 / 3), "mae": 1.0, "r2": 1 - 5 / 14, "num_examples": 3}
    assert values == pytest.approx(expected)
    assert values.keys() == set(regression.NAMES)
    assert (tmp_path / "pictures/predictions.png").exists()
