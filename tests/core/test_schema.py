from typing import Annotated, Literal

import pytest
from pydantic import Field, PositiveFloat, PositiveInt

from pipeline.core.schema import Schema, nearest, parse


class SGD(Schema):
    name: Literal["sgd"]
    lr: PositiveFloat
    momentum: float = 0.0


class Adam(Schema):
    name: Literal["adam"]
    lr: PositiveFloat
    betas: tuple[float, float] = (0.9, 0.999)


class Train(Schema):
    epochs: PositiveInt
    optimizer: Annotated[SGD | Adam, Field(discriminator="name")]
    precision: Literal["fp32", "bf16"] = "fp32"


GOOD = {"epochs": 2, "optimizer": {"name": "adam", "lr": 1, "betas": [0.5, 0.9]}}


def test_values_keep_their_yaml_type_and_lists_become_tuples():
    train = parse(Train, GOOD, "runs.a.train")
    assert train == Train(epochs=2, optimizer=Adam(name="adam", lr=1.0, betas=(0.5, 0.9)))
    assert parse(Train, train.model_dump(), "runs.a.train") == train


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"epochs": True}, "runs.a.train.epochs: True is not allowed; Input should be a valid integer"),
        ({"epochs": 0}, "runs.a.train.epochs: 0 is not allowed; Input should be greater than 0"),
        ({"epochs": "3"}, "runs.a.train.epochs: '3' is not allowed"),
        ({"epochz": 3}, "runs.a.train.epochz: 3 is under an unknown key; did you mean 'epochs'?"),
        ({"precision": "fp31"}, "runs.a.train.precision: 'fp31' is not allowed; did you mean 'fp32'?"),
        ({"optimizer": "sgd"}, "runs.a.train.optimizer: 'sgd' is not allowed"),
        ({"optimizer": {"lr": 1}}, "runs.a.train.optimizer: {'lr': 1} needs the key 'name'"),
        ({"optimizer": {"name": "sdg", "lr": 1}}, "runs.a.train.optimizer.name: 'sdg' is unknown; did you mean 'sgd'?"),
        ({"optimizer": {"name": "sgd"}}, "runs.a.train.optimizer.lr: the key is missing"),
        ({"optimizer": {"name": "sgd", "lr": float("nan")}}, "runs.a.train.optimizer.lr: nan is not allowed"),
        ({"optimizer": {"name": "sgd", "lr": 1, "momentun": 0.9}}, "runs.a.train.optimizer.momentun: 0.9 is under"),
        (
            {"optimizer": {"name": "adam", "lr": 1, "betas": [0.9]}},
            "runs.a.train.optimizer.betas.1: the key is missing",
        ),
        ({"optimizer": {"name": "adam", "lr": 1, "betas": [0.9, "x"]}}, "runs.a.train.optimizer.betas.1: 'x'"),
    ],
)
def test_an_error_names_key_value_and_what_is_allowed(change, expected):
    with pytest.raises(ValueError) as error:
        parse(Train, GOOD | change, "runs.a.train")
    assert str(error.value).startswith(expected)
    assert "\n" not in str(error.value)


def test_all_problems_are_listed_one_a_line():
    with pytest.raises(ValueError, match=r"a\.epochs: .*\na\.optimizer\.lr: the key is missing"):
        parse(Train, {"epochs": 0, "optimizer": {"name": "sgd"}}, "a")


def test_what_is_no_mapping_is_refused():
    with pytest.raises(ValueError, match="a: None is not allowed; a mapping is needed, valid: epochs, optimizer"):
        parse(Train, None, "a")


def test_nearest_says_so_when_nothing_is_valid():
    assert nearest("x", []) == "valid: none"
