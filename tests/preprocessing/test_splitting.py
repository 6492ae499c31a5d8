import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.storage import Examples
from pipeline.preprocessing.splitting import digests, split_off, without

CLASSES = ("a", "b", "c")


def examples(num: int, distinct: int | None = None) -> Examples:
    """Rows 0, 1, 2, ... (from the beginning again after ``distinct``) of the classes in turn."""
    numbers = np.arange(num) % (distinct or num)
    return Examples(numbers.astype(np.float32)[:, None], numbers % len(CLASSES))


def test_every_class_is_split_in_the_same_proportion_and_order_is_kept() -> None:
    stay, go = split_off(examples(300), 0.2, 1, CLASSES, "val_fraction")
    assert np.bincount(stay.targets).tolist() == [80, 80, 80]
    assert np.bincount(go.targets).tolist() == [20, 20, 20]
    assert (np.diff(stay.inputs[:, 0]) > 0).all()
    assert sorted([*stay.inputs[:, 0], *go.inputs[:, 0]]) == list(range(300))


def test_the_seed_decides() -> None:
    first, again, other = (split_off(examples(300), 0.2, seed, CLASSES, "")[1].inputs for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


@settings(deadline=None)  # scikit-learn is imported on first use
@given(st.integers(12, 200), st.integers(12, 60), st.integers(0, 2**63 - 1))
def test_equal_inputs_stay_together(num: int, distinct: int, seed: int) -> None:
    stay, go = split_off(examples(num, distinct), 0.25, seed, CLASSES, "")
    assert not set(digests(stay)) & set(digests(go))
    assert len(stay) + len(go) == num


def test_equal_inputs_with_different_targets_stay_together() -> None:
    rows = np.repeat(np.arange(60, dtype=np.float32), 2)[:, None]  # each twice
    targets = np.arange(120) // 40
    targets[1::2] = 0
    stay, go = split_off(Examples(rows, targets), 0.25, 0, CLASSES, "")
    assert not set(digests(stay)) & set(digests(go))
    assert (len(stay), len(go)) == (90, 30)


def test_real_targets_are_split_without_classes() -> None:
    table = Examples(np.arange(100, dtype=np.float32)[:, None], np.linspace(0, 1, 100, dtype=np.float32))
    stay, go = split_off(table, 0.1, 0, (), "")
    assert (len(stay), len(go)) == (90, 10)


def test_what_stands_in_the_test_part_is_taken_out() -> None:
    rest = without(examples(30), examples(20, distinct=10))
    assert rest.inputs[:, 0].tolist() == list(range(10, 30))


def test_a_class_with_one_different_example_is_named() -> None:
    few = examples(40, distinct=4)  # class a has the inputs 0 and 3, the others one each
    with pytest.raises(ValueError, match=r"^datasets\.x\.val_fraction: at least 2 .*too few: b, c$"):
        split_off(few, 0.5, 0, CLASSES, "datasets.x.val_fraction")


def test_a_fraction_too_small_for_all_classes() -> None:
    with pytest.raises(ValueError, match=r"^datasets\.x\.val_fraction: 0\.01 of 30 different examples can't be split"):
        split_off(examples(30), 0.01, 0, CLASSES, "datasets.x.val_fraction")
