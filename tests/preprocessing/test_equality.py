import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core import scratch
from pipeline.preprocessing import equality
from pipeline.preprocessing.equality import digests, first_equals

NUMBERS = st.lists(st.integers(0, 50), max_size=60)


def rows(numbers: list[int]) -> np.ndarray:
    return np.array(numbers, np.int32).reshape(-1, 1)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some inputs of a part, and some at a time."""
    monkeypatch.setattr(equality, "PART", 7)
    monkeypatch.setattr(scratch, "CHUNK", 80)


@given(NUMBERS, NUMBERS, st.sampled_from([7, 1 << 15]), st.sampled_from([80, 1 << 22]))
def test_the_first_that_is_equal(numbers: list[int], others: list[int], part: int, chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(equality, "PART", part)
        patch.setattr(scratch, "CHUNK", chunk)
        found = first_equals(digests(rows(numbers)), digests(rows(others)))
    assert found.tolist() == [-1 if number in others else numbers.index(number) for number in numbers]


@pytest.mark.usefixtures("small_parts")
def test_texts() -> None:
    texts = np.array(["a", "b", "", "a", "ä", "", "b" * 99] * 3, object)
    assert first_equals(digests(texts), digests(texts[4:5])).tolist() == [0, 1, 2, 0, -1, 2, 6] * 3


def test_a_hash_that_ends_in_zeros_is_another_than_a_shorter_one() -> None:
    many = digests(np.arange(3000, dtype=np.int32)[:, None])
    assert many.view(np.uint8).reshape(-1, 16)[:, -1].min() == 0  # some do
    assert len(set(many.tolist())) == 3000


def test_only_the_input_counts_and_not_how_it_lies_in_memory() -> None:
    table = np.arange(12, dtype=np.float32).reshape(4, 3)
    assert (digests(table[:, :2]) == digests(table[:, :2].copy())).all()
