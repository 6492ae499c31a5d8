"""What a sweep tries: ``train.optimizer.lr=0.001..0.1:log train.batch_size=50,100``, checked before anything runs."""

import copy
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline import checking
from pipeline.core.schema import nearest

#: What determines a trained model; `evaluate` and `export` don't.
OF_THE_RUN = ("task", "dataset", "model", "train")
OF_ALL_RUNS = ("seed", "num_threads", "datasets")
#: Text that needs no quotes in DVC's ``--set-param``.
WORD = r"[A-Za-z0-9_][A-Za-z0-9_./-]*"

Value = bool | int | float | str | None
#: Name, relative to the run -> value.
Values = dict[str, Value]


@dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[Value, ...]


@dataclass(frozen=True)
class Range:
    """A number from ``low`` to ``high``, both included; a whole one if both are. With ``log`` by order of magnitude."""

    low: int | float
    high: int | float
    log: bool


Space = dict[str, Choice | Range]


def parse(text: str) -> Space:
    """Read ``NAME=VALUE,VALUE… NAME=LOW..HIGH NAME=LOW..HIGH:log``; values are YAML.

    Raises:
        ValueError: nothing is to be tried, or a word is none of these.
    """
    space: Space = {}
    for word in text.split():
        name, equals, values = word.partition("=")
        if not equals or not name or not values:
            raise ValueError(f"{word!r} is not NAME=VALUE,VALUE nor NAME=LOW..HIGH, as in train.batch_size=50,100")
        if name in space:
            raise ValueError(f"{name} is given twice: put all its values after one '='")
        space[name] = _range(name, values) if ".." in values else _choice(name, values)
    if not space:
        raise ValueError('there is nothing to try: SPACE="train.optimizer.lr=0.01,0.05" names parameters and values')
    return space


def grid(space: Space) -> list[Values]:
    """Every combination, the last parameter changing fastest.

    Raises:
        ValueError: a range has no end of values.
    """
    for name, choice in space.items():
        if isinstance(choice, Range):
            raise ValueError(f"{name}: a range is for a search: give TRIALS=20, or values as in 0.01,0.1")
    values = [choice.values for choice in space.values() if isinstance(choice, Choice)]
    return [dict(zip(space, combination, strict=True)) for combination in itertools.product(*values)]


def key(name: str, run: str) -> str:
    """Where a parameter is in ``params.yaml``: ``train.epochs`` -> ``runs.lenet.train.epochs``, ``seed`` -> ``seed``.

    Raises:
        ValueError: there is no such part, or it doesn't determine the trained model.
    """
    part = name.partition(".")[0]
    if part in OF_ALL_RUNS:
        return name
    if part in OF_THE_RUN:
        return f"runs.{run}.{name}"
    if part in ("evaluate", "export"):
        raise ValueError(f"{name}: {part} doesn't change the trained model, so all values would be the same run")
    raise ValueError(f"{name}: {part!r} is no part of a run; {nearest(part, [*OF_THE_RUN, *OF_ALL_RUNS])}")


def check(space: Space, run: str, content: dict[str, Any]) -> None:
    """Validate every value of each parameter, of a range both ends, as the stage `check` will.

    Args:
        space: what is to be tried.
        run: the run that is varied.
        content: the parsed ``params.yaml``.

    Raises:
        ValueError: a name or value is wrong; the message has the nearest valid name.
    """
    if run not in content["runs"]:
        raise ValueError(f"runs.{run}: there is no such run; {nearest(run, content['runs'])}")
    comparisons = {name: entry for name, entry in content["comparisons"].items() if name == run}
    runs = {name: content["runs"][name] for name in (run, *(entry["classifier"] for entry in comparisons.values()))}
    alone = {**content, "runs": runs, "comparisons": comparisons}
    for values in _corners(space):
        # Other data sets than the run's aren't looked at: it may be swept over.
        checking.check(changed(alone, {key(name, run): value for name, value in values.items()}), rehearse=True)


def changed(content: dict[str, Any], values: Mapping[str, Value]) -> dict[str, Any]:
    """A copy of ``params.yaml`` with other values at dotted paths, as ``dvc exp run --set-param ++PATH=VALUE``.

    Raises:
        ValueError: a path leads through something that has no keys.
    """
    content = copy.deepcopy(content)
    for path, value in values.items():
        *sections, last = path.split(".")
        section = content
        for number, part in enumerate(sections, start=1):
            section = section.setdefault(part, {})
            if not isinstance(section, dict):
                raise ValueError(f"{path}: {'.'.join(sections[:number])} is {section!r} and has no keys")
        section[last] = value
    return content


def as_text(values: Values) -> str:
    """``train.optimizer.lr=0.05 train.batch_size=100``."""
    return " ".join(f"{name}={literal(value)}" for name, value in values.items())


def literal(value: Value) -> str:
    """A value as it is written in YAML and for DVC alike."""
    return value if isinstance(value, str) else json.dumps(value)


def _choice(name: str, text: str) -> Choice:
    return Choice(tuple(_value(name, part) for part in text.split(",")))


def _range(name: str, text: str) -> Range:
    ends, _, scale = text.partition(":")
    low, high = (_value(name, end) for end in ends.split("..", 1))
    if not _is_number(low) or not _is_number(high) or scale not in ("", "log"):
        raise ValueError(f"{name}: {text!r} is not a range; use LOW..HIGH or LOW..HIGH:log, as in 0.001..0.1:log")
    if not low < high:
        raise ValueError(f"{name}: {text!r} has no numbers; the first must be below the second")
    if scale and low <= 0:
        raise ValueError(f"{name}: {text!r} has no logarithm; the first number must be above 0")
    return Range(low, high, bool(scale))


def _value(name: str, text: str) -> Any:
    try:
        value = YAML(typ="safe").load(text)
    except YAMLError:
        value = ()
    is_finite = not isinstance(value, float) or abs(value) < float("inf")
    is_word = not isinstance(value, str) or re.fullmatch(WORD, value)
    if not text or not isinstance(value, bool | int | float | str | None) or not is_finite or not is_word:
        raise ValueError(f"{name}: {text!r} is not a value; use numbers, true, false, null and words")
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _corners(space: Space) -> Iterator[Values]:
    """All combinations of a grid; with a range in it each value alone, since what is between is the search's."""
    if not any(isinstance(choice, Range) for choice in space.values()):
        yield from grid(space)
        return
    values = {n: c.values if isinstance(c, Choice) else (c.low, c.high) for n, c in space.items()}
    first = {name: options[0] for name, options in values.items()}
    for name, options in values.items():
        for value in options:
            yield {**first, name: value}
