import pytest

from pipeline.core.schema import parse
from pipeline.promotion.criterion import Criterion


def criterion(direction, threshold, margin=0.0):
    return Criterion(metric="m", direction=direction, threshold=threshold, margin=margin)


@pytest.mark.parametrize(
    ("rule", "value", "champion", "allowed"),
    [
        (criterion("max", 0.9), 0.9, None, True),
        (criterion("max", 0.9), 0.89, None, False),
        (criterion("max", 0.9), 0.95, 0.95, False),
        (criterion("max", 0.9), 0.951, 0.95, True),
        (criterion("max", 0.9, margin=0.25), 1.2, 1.0, False),
        (criterion("max", 0.9, margin=0.25), 1.25, 1.0, True),
        (criterion("min", 60.0), 60.0, None, True),
        (criterion("min", 60.0), 61.0, 70.0, False),
        (criterion("min", 60.0, margin=5.0), 50.0, 55.0, True),
        (criterion("min", 60.0, margin=5.0), 51.0, 55.0, False),
    ],
)
def test_a_champion_passes_the_threshold_and_surpasses_the_one_before_by_the_margin(rule, value, champion, allowed):
    assert (rule.objection(value, champion) is None) == allowed


def test_an_objection_names_metric_value_and_limit():
    assert criterion("max", 0.9).objection(0.5, None) == "m 0.5 misses the threshold 0.9 (max)"
    assert criterion("max", 0.1, 0.2).objection(0.5, 0.4) == "m 0.5 isn't better than the champion's 0.4 by 0.2"


def test_a_wrong_direction_is_refused():
    with pytest.raises(ValueError, match=r"^runs\.a\.promote\.direction: 'up' is not allowed"):
        parse(Criterion, {"metric": "m", "direction": "up", "threshold": 1.0}, "runs.a.promote")
