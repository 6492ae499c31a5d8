import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.storage import Examples
from pipeline.preprocessing import splitting
from pipeline.preprocessing.splitting import SHARED, TEST, TRAIN, VAL, assign, digests


def examples(num: int, distinct: int | None = None) -> Examples:
    """Rows 0, 1, 2, ... (from the beginning again after ``distinct``) of three classes in turn."""
    numbers = np.arange(num) % (distinct or num)
    return Examples(numbers.astype(np.float32)[:, None], numbers % 3)


def official(*numbers: int) -> Examples:
    """A test part."""
    return Examples(np.array(numbers, np.float32)[:, None], np.array(numbers) % 3)


def counts(places: np.ndarray) -> list[int]:
    """Of TRAIN, VAL, TEST, SHARED."""
    return np.bincount(places, minlength=4).tolist()


def inputs_of(given_examples: Examples, places: np.ndarray, split: int) -> set[bytes]:
    return set(digests(given_examples)[places == split].tolist())


def test_every_class_is_split_in_the_same_proportion() -> None:
    given_examples = examples(300)
    places, num_shared = assign(given_examples, 0.2, 0.25, 1, "datasets.x")
    assert num_shared == 0
    for label in range(3):
        assert counts(places[given_examples.targets == label]) == [60, 20, 20, 0]


def test_the_seed_decides() -> None:
    first, again, other = (assign(examples(300), official(500), 0.2, seed, "")[0] for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


@settings(deadline=None)  # scikit-learn is imported on first use
@given(st.integers(90, 400), st.integers(90, 300), st.integers(0, 2**63 - 1), st.sampled_from([1 << 17, 200]))
def test_equal_inputs_stay_together(num: int, distinct: int, seed: int, part: int) -> None:
    given_examples, test = examples(num, distinct), official(3, 3, 500)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splitting, "PART", part)
        places, num_shared = assign(given_examples, test, 0.25, seed, "")
    of_train, of_val, shared = (inputs_of(given_examples, places, split) for split in (TRAIN, VAL, SHARED))
    assert not of_train & of_val
    assert shared == set(digests(official(3)).tolist())
    assert num_shared == np.count_nonzero(given_examples.inputs == 3) == np.count_nonzero(places == SHARED)


def test_equal_inputs_with_different_targets_stay_together() -> None:
    rows = np.repeat(np.arange(60, dtype=np.float32), 2)[:, None]  # each twice
    targets = np.arange(120) // 40
    targets[1::2] = 0
    given_examples = Examples(rows, targets)
    places, _ = assign(given_examples, official(500), 0.25, 0, "")
    assert not inputs_of(given_examples, places, TRAIN) & inputs_of(given_examples, places, VAL)
    assert counts(places) == [90, 30, 0, 0]


def test_real_targets_are_split_without_classes() -> None:
    table = Examples(np.arange(100, dtype=np.float32)[:, None], np.linspace(0, 1, 100, dtype=np.float32))
    assert counts(assign(table, 0.1, 0.1, 0, "")[0]) == [81, 9, 10, 0]


def test_what_stands_in_the_test_part_is_taken_out_or_only_counted() -> None:
    given_examples, test = examples(60), official(*range(10), *range(10))
    places, num_shared = assign(given_examples, test, 0.2, 0, "")
    assert np.flatnonzero(places == SHARED).tolist() == list(range(10)) and num_shared == 10

    places, num_shared = assign(given_examples, test, 0.2, 0, "", keep_shared=True)
    assert counts(places) == [48, 12, 0, 0] and num_shared == 10


def test_parts_together_are_split_as_the_whole_would_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "PART", 1000)
    given_examples = examples(30_000)
    places, _ = assign(given_examples, 0.2, 0.25, 1, "")
    for label in range(3):
        found = np.array(counts(places[given_examples.targets == label]))
        assert np.abs(found - [6000, 2000, 2000, 0]).max() <= 30  # each of 30 parts is rounded
    # Which part an input is in says nothing of its split.
    assert np.abs(np.corrcoef(places == VAL, np.arange(30_000))[0, 1]) < 0.03


def test_the_only_input_of_a_class_is_learnt_from() -> None:
    given_examples = Examples(np.arange(40, dtype=np.float32)[:, None], np.arange(40) // 39)
    places, _ = assign(given_examples, 0.25, 0.25, 0, "")
    assert places[39] == TRAIN and TEST in places and VAL in places


def test_a_fraction_too_small_for_all_classes() -> None:
    with pytest.raises(ValueError, match=r"^datasets\.x\.val_fraction: 0\.01 of 30 different examples can't be split"):
        assign(examples(30), official(500), 0.01, 0, "datasets.x")
