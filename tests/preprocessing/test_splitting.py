import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core import scratch
from pipeline.core.storage import Examples
from pipeline.preprocessing import splitting
from pipeline.preprocessing.splitting import SHARED, TEST, TRAIN, VAL, assign

CLASSES = ("a", "b", "c")


def examples(num: int, distinct: int | None = None) -> Examples:
    """Rows 0, 1, 2, ... (from the beginning again after ``distinct``) of the classes in turn."""
    numbers = np.arange(num) % (distinct or num)
    return Examples(numbers.astype(np.float32)[:, None], numbers % len(CLASSES))


def official(*numbers: int) -> Examples:
    """A test part."""
    return Examples(np.array(numbers, np.float32)[:, None], np.array(numbers) % len(CLASSES))


def counts(places: np.ndarray) -> list[int]:
    """Of TRAIN, VAL, TEST, SHARED."""
    return np.bincount(places, minlength=4).tolist()


def assert_apart(given_examples: Examples, places: np.ndarray) -> None:
    """No input is in two splits."""
    of_split = [set(given_examples.inputs[places == split, 0].tolist()) for split in range(4)]
    assert sum(map(len, of_split)) == len(set.union(*of_split))


@pytest.fixture(params=["at once", "one after the other"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to draw, of which the second is for more examples."""
    if request.param == "one after the other":
        monkeypatch.setattr(splitting, "MAX_AT_ONCE", 1)
        monkeypatch.setattr(scratch, "CHUNK", 80)


@pytest.mark.usefixtures("way")
def test_every_class_is_split_in_the_same_proportion() -> None:
    given_examples = examples(300)
    places, num_shared = assign(given_examples, 0.2, 0.25, 1, CLASSES, "datasets.x")
    assert num_shared == 0
    for label in range(3):
        assert counts(places[given_examples.targets == label]) == [60, 20, 20, 0]


@pytest.mark.usefixtures("way")
def test_the_seed_decides() -> None:
    first, again, other = (assign(examples(300), official(500), 0.2, seed, CLASSES, "")[0] for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_every_choice_is_as_likely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "MAX_AT_ONCE", 1)
    monkeypatch.setattr(scratch, "CHUNK", 80)
    chosen = sum(assign(examples(30), official(500), 0.3, seed, CLASSES, "")[0] == VAL for seed in range(2000))
    # Each of 30 examples is one of 3 of 10: 600 of 2,000 times, with a standard deviation of 20.
    assert np.abs(np.asarray(chosen) - 600).max() < 5 * 20


@settings(deadline=None)  # scikit-learn is imported on first use
@given(st.integers(60, 200), st.integers(60, 100), st.integers(0, 2**63 - 1), st.sampled_from([1, 1 << 17]), st.data())
def test_equal_inputs_stay_together(num: int, distinct: int, seed: int, at_once: int, data: st.DataObject) -> None:
    given_examples = examples(num, distinct)
    test = data.draw(st.sampled_from([0.25, official(3, 3, 500)]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splitting, "MAX_AT_ONCE", at_once)
        places, num_shared = assign(given_examples, test, 0.25, seed, CLASSES, "")
    assert_apart(given_examples, places)
    shared = given_examples.inputs[:, 0] == 3 if isinstance(test, Examples) else np.zeros(num, bool)
    assert num_shared == shared.sum()
    assert ((places == SHARED) == shared).all()


@pytest.mark.usefixtures("way")
def test_equal_inputs_with_different_targets_stay_together() -> None:
    rows = np.repeat(np.arange(60, dtype=np.float32), 2)[:, None]  # each twice
    targets = np.arange(120) // 40
    targets[1::2] = 0
    places, _ = assign(Examples(rows, targets), official(500), 0.25, 0, CLASSES, "")
    assert_apart(Examples(rows, targets), places)
    assert counts(places) == [90, 30, 0, 0]


@pytest.mark.usefixtures("way")
def test_real_targets_are_split_without_classes() -> None:
    table = Examples(np.arange(100, dtype=np.float32)[:, None], np.linspace(0, 1, 100, dtype=np.float32))
    assert counts(assign(table, 0.1, 0.1, 0, (), "")[0]) == [81, 9, 10, 0]


def test_what_stands_in_the_test_part_is_taken_out_or_only_counted() -> None:
    given_examples, test = examples(60), official(*range(10), *range(10))
    places, num_shared = assign(given_examples, test, 0.2, 0, CLASSES, "")
    assert np.flatnonzero(places == SHARED).tolist() == list(range(10)) and num_shared == 10

    places, num_shared = assign(given_examples, test, 0.2, 0, CLASSES, "", keep_shared=True)
    assert counts(places) == [48, 12, 0, 0] and num_shared == 10


@pytest.mark.usefixtures("way")
def test_a_class_with_one_different_example_is_named() -> None:
    few = examples(40, distinct=4)  # class a has the inputs 0 and 3, the others one each
    with pytest.raises(ValueError, match=r"^datasets\.x\.val_fraction: at least 2 .*too few: b, c$"):
        assign(few, official(500), 0.5, 0, CLASSES, "datasets.x")


def test_a_fraction_too_small_for_all_classes() -> None:
    with pytest.raises(ValueError, match=r"^datasets\.x\.val_fraction: 0\.01 of 30 different examples can't be split"):
        assign(examples(30), official(500), 0.01, 0, CLASSES, "datasets.x")


def test_a_rare_class_among_many_examples_is_in_every_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "MAX_AT_ONCE", 1000)
    rare = Examples(np.arange(30_000, dtype=np.float32)[:, None], (np.arange(30_000) % 6000 == 0).astype(np.int64))
    places, _ = assign(rare, 0.1, 0.1, 0, ("usual", "rare"), "")
    assert counts(places[rare.targets == 1]) == [3, 1, 1, 0]
    assert [split in places for split in (TRAIN, VAL, TEST)] == [True] * 3
