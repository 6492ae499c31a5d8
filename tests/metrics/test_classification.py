import csv

import numpy as np
import pytest

from pipeline.core.spec import DataSpec
from pipeline.core.storage import Examples, Meta
from pipeline.evaluation.run import FOLDERS
from pipeline.metrics import classification

SPEC = DataSpec(modality="image", shape=(1, 4, 4), num_classes=3)
META = Meta(spec=SPEC, classes=("a", "b,c", "é"), counts={}, scale=255.0, mean=(0.0,), std=(1.0,))


@pytest.fixture
def evaluated(tmp_path):
    def evaluate(outputs, targets):
        for name in FOLDERS:
            (tmp_path / name).mkdir(parents=True)
        examples = Examples(np.zeros((len(targets), 1, 4, 4), np.uint8), np.array(targets))
        options = classification.Options()
        return classification.judge(np.array(outputs, np.float32), examples, META, options, tmp_path), tmp_path

    return evaluate


def test_numbers_that_can_be_counted_by_hand(evaluated):
    # Predictions a, a, b, c of truths a, b, b, c; every answer with probability 0.8.
    answers = np.log(np.eye(3)[[0, 0, 1, 2]] * 0.7 + 0.1)
    values, _ = evaluated(answers, [0, 1, 1, 2])
    assert values == pytest.approx(
        {
            "accuracy": 0.75,
            "precision_macro": (0.5 + 1 + 1) / 3,
            "recall_macro": (1 + 0.5 + 1) / 3,
            "f1_macro": (2 / 3 + 2 / 3 + 1) / 3,
            "precision_weighted": (0.5 + 2 + 1) / 4,
            "recall_weighted": 0.75,
            "f1_weighted": (2 / 3 + 2 * 2 / 3 + 1) / 4,
            "roc_auc": ((1 + 2 / 3) / 2 + 0.75 + 1) / 3,
            "average_precision": (0.5 + 0.75 + 1) / 3,
            "rmse": np.sqrt((3 * (0.04 + 0.01 + 0.01) + (0.64 + 0.81 + 0.01)) / 12),
            "nll": -(3 * np.log(0.8) + np.log(0.1)) / 4,
            "ece": 0.05,
            "num_examples": 4,
        },
        rel=1e-6,
    )
    assert values.keys() == set(classification.NAMES)


def read(file):
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_plots_are_written_for_dvc(evaluated):
    generator = np.random.default_rng(0)
    _, folder = evaluated(generator.normal(size=(60, 3)), list(range(3)) * 20)
    for name in ("roc", "precision_recall", "calibration"):
        rows = read(folder / f"curves/{name}.csv")
        assert rows and set(rows[0]) == {"x", "y"} and all(0 <= float(row["y"]) <= 1 for row in rows)
    confusion = read(folder / "confusion/confusion.csv")
    assert len(confusion) == 60 and {row["actual"] for row in confusion} == {"a", "b,c", "é"}
    assert (folder / "pictures/mistakes.png").stat().st_size > 1000
