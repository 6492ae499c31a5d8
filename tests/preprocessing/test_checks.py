import numpy as np
import pytest

from pipeline.core.spec import DataSpec
from pipeline.core.storage import Examples
from pipeline.preprocessing.checks import check_counts, check_examples

IMAGES = DataSpec(modality="image", shape=(1, 2, 2), num_classes=2)
TABLE = DataSpec(modality="table", shape=(2,), num_classes=0)


def images(num: int = 4, **changed: object) -> Examples:
    inputs = np.arange(num * 4, dtype=np.uint8).reshape(num, 1, 2, 2)
    return Examples(**{"inputs": inputs, "targets": np.arange(num) % 2} | changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        (images(inputs=np.zeros((4, 1, 2, 3), np.uint8)), r"uint8 \(4, 1, 2, 3\) instead of uint8 \(4, 1, 2, 2\)"),
        (images(inputs=np.zeros((4, 1, 2, 2))), r"train inputs are float64"),
        (images(targets=np.zeros(3, int)), r"\(4, 1, 2, 2\) instead of uint8 \(3, 1, 2, 2\)"),
        (images(targets=np.array([0, 1, 2, 0])), r"train labels reach 0\.\.2 with 2 classes"),
        (images(targets=np.array([0, -1, 1, 0])), r"labels reach -1\.\.1"),
        (images(inputs=np.full((4, 1, 2, 2), 7, np.uint8)), "every value of the train inputs is 7"),
        (images(0), "train holds no examples"),
    ],
)
def test_images_that_are_not_as_described(examples: Examples, message: str) -> None:
    with pytest.raises(ValueError, match=rf"^datasets\.x: .*{message}"):
        check_examples("datasets.x", "train", examples, IMAGES, ("a", "b"))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none(bad: float) -> None:
    rows, targets = np.array([[1, bad], [2, 3]], np.float32), np.ones(2, np.float32)
    with pytest.raises(ValueError, match="train inputs hold 1 values that are NaN or infinite"):
        check_examples("datasets.x", "train", Examples(rows, targets), TABLE, ())
    with pytest.raises(ValueError, match="train targets hold 2 values"):
        check_examples("datasets.x", "train", Examples(np.eye(2, dtype=np.float32), targets * bad), TABLE, ())


def test_good_examples_pass() -> None:
    check_examples("datasets.x", "train", images(), IMAGES, ("a", "b"))


def test_a_split_without_a_class() -> None:
    with pytest.raises(ValueError, match=r"datasets\.x: no example of b in the val split \(4 examples\); add"):
        check_counts("datasets.x", {"train": {"a": 3, "b": 1}, "val": {"a": 4, "b": 0}})
