import pytest

from pipeline.training.options import Constant, Cosine, OneCycle
from pipeline.training.schedules import factor


@pytest.mark.parametrize("num_steps", [1, 2, 7, 1000])
@pytest.mark.parametrize(
    "schedule",
    [Constant(name="constant"), Cosine(name="cosine", warmup=0.1), Cosine(name="cosine"), OneCycle(name="one_cycle")],
    ids=repr,
)
def test_a_factor_is_above_0_and_at_most_1(schedule, num_steps):
    factors = [factor(schedule, step, num_steps) for step in range(num_steps)]
    assert all(0 < value <= 1 for value in factors)


def test_one_cycle_rises_and_falls_in_straight_lines():
    factors = [factor(OneCycle(name="one_cycle", warmup=0.25), step, 99) for step in range(99)]
    assert factors[24] == 1  # a quarter of the way
    assert factors[11] == pytest.approx(12 / 25) and factors[49] == pytest.approx(50 / 75)


def test_cosine_is_half_way_in_the_middle_and_ends_near_0():
    factors = [factor(Cosine(name="cosine"), step, 99) for step in range(99)]
    assert factors[49] == pytest.approx(0.5) and factors[98] < 1e-3 and factors[0] > 0.999
