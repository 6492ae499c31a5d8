"""What every module under ``datasets/`` has in common: the types of its options and what its ``load`` returns."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from pipeline.core.storage import Examples
from pipeline.source.texts import Text

Fraction = Annotated[float, Field(gt=0, lt=1)]
ImageSize = Annotated[int, Field(ge=1, le=1024)]


@dataclass(frozen=True)
class Loaded:
    """A raw data set in memory, before anything is split off.

    Attributes:
        train: the examples to learn from, those of the validation split still among them.
        test: the official test part; or the fraction of ``train`` to split off where there is none.
        classes: the name of each class index; empty where the target is a real number.
        text: how texts become token ids; None for other data.
    """

    train: Examples
    test: Examples | float
    classes: tuple[str, ...]
    text: Text | None = None

    def __len__(self) -> int:
        return len(self.train) + (len(self.test) if isinstance(self.test, Examples) else 0)
