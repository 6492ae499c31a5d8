"""The subtree ``comparisons.<run>`` of ``params.yaml``. It imports no torch, so that checking it takes no time."""

from typing import Self

from pydantic import Field, PositiveInt, model_validator

from pipeline.core.schema import Schema

#: What a comparison says of samples.
NAMES = (
    "frechet_distance", "precision", "recall", "density", "coverage", "class_entropy", "nearest_distance", "memorised",
)  # fmt: skip
#: What it says, for a measure, of real images in their place: of training images, and how far test images are from
#: those. Nothing like it for ``memorised``, which is defined by test images.
REAL = tuple(f"{name}_real" for name in NAMES if name != "memorised")


class Options(Schema):
    """How the images that a run generates are compared with real ones.

    Attributes:
        dataset: that of the run and of the classifier.
        classifier: a run whose exported network says what an image shows.
        num_samples: images of each kind; as many as there are test images if it isn't given.
        num_neighbors: the k of precision, recall, density and coverage.
    """

    dataset: str
    classifier: str
    num_samples: int | None = Field(default=None, ge=2)
    num_neighbors: PositiveInt = 5

    @model_validator(mode="after")
    def _check_neighbors(self) -> Self:
        if self.num_samples is not None and self.num_neighbors >= self.num_samples:
            raise ValueError(
                f"num_neighbors (={self.num_neighbors}) must be less than num_samples (={self.num_samples})"
            )
        return self
