"""What a network must know of a data set before it sees one example."""

from typing import Literal, Self

from pydantic import Field, PositiveInt, model_validator

from pipeline.core.schema import Schema

NUM_AXES = {"image": 3, "table": 1, "text": 1}


class DataSpec(Schema):
    """The shape of one example and what is to be predicted from it.

    Attributes:
        modality: ``image`` (uint8), ``table`` (float32) or ``text`` (token ids).
        shape: of one example without the batch: (C, H, W) for an image, (F,) for a row of F features, (L,) for a text
            of at most L tokens.
        num_classes: how many classes a label can have; 0 where the target is a real number.
        num_tokens: how many ids a token can have, padding and unknown included; 0 if there are no tokens.
    """

    modality: Literal["image", "table", "text"]
    shape: tuple[PositiveInt, ...]
    num_classes: int = Field(ge=0)
    num_tokens: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _check_shape(self) -> Self:
        if len(self.shape) != NUM_AXES[self.modality]:
            raise ValueError(f"shape (={self.shape}) needs {NUM_AXES[self.modality]} axes ({self.modality})")
        return self

    @property
    def num_outputs(self) -> int:
        """How many numbers a network returns for one example."""
        return self.num_classes or 1


def image_shape(spec: DataSpec, model: str, smallest: int) -> tuple[int, int, int]:
    """The (C, H, W) of the images that ``model`` is to read.

    Raises:
        ValueError: an image has a side under ``smallest`` pixels.
    """
    channels, height, width = spec.shape
    if min(height, width) < smallest:
        raise ValueError(
            f"{model} needs images of at least {smallest} x {smallest} pixels, these have {height} x {width}"
        )
    return channels, height, width


def quarters(spec: DataSpec, model: str) -> tuple[int, int, int]:
    """Channels, and a quarter of height and width: what is left of an image that is halved twice, as ``model`` does.

    Raises:
        ValueError: a side isn't a multiple of 4, so that doubling twice would give another size.
    """
    channels, height, width = spec.shape
    if height % 4 or width % 4:
        raise ValueError(
            f"{model} halves images twice, and these have {height} x {width} pixels: set the data set's image_size to "
            "a multiple of 4"
        )
    return channels, height // 4, width // 4
