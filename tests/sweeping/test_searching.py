import pytest

from pipeline.sweeping import space
from pipeline.sweeping.experiments import Experiment
from pipeline.sweeping.searching import search


def measure(asked, fails=lambda values: False):
    """A function with its best value at lr 0.01 and 20 units, in the place of trainings."""

    def run(trials):
        asked.append(trials)
        for values in reversed(trials):  # the order in which they end mustn't matter
            value = abs(values["lr"] - 0.01) + abs(values["size"] - 20)
            yield Experiment(str(values), values, error="no") if fails(values) else Experiment("", values, value=value)

    return run


SPACE = space.parse("lr=0.001..0.1:log size=1..40 name=sgd,adam")


@pytest.mark.parametrize(("better", "far"), [(min, 4), (max, 17)])
def test_the_same_seed_proposes_the_same_and_comes_near_the_best(better, far):
    first, second, other = [], [], []
    for asked, seed in ((first, 1), (second, 1), (other, 2)):
        search(SPACE, 40, 2, seed, better, measure(asked))

    assert first == second != other
    assert [len(trials) for trials in first] == [2] * 20
    points = [values for trials in first for values in trials]
    assert all(0.001 <= v["lr"] <= 0.1 and v["size"] in range(1, 41) and v["name"] in ("sgd", "adam") for v in points)
    found = better(abs(values["size"] - 20) for values in points)
    assert found <= far if better is min else found >= far


def test_failed_experiments_do_not_end_the_search():
    asked = []
    search(SPACE, 5, 2, 1, min, measure(asked, fails=lambda values: values["size"] > 10))
    assert [len(trials) for trials in asked] == [2, 2, 1]
