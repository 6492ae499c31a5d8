"""The subtree ``comparisons.<run>`` of ``params.yaml``. It imports no torch, so that checking it takes no time."""

from pydantic import Field, PositiveInt

from pipeline.core.schema import Schema

#: What a comparison measures of samples and, with ``_real`` behind it, of real training images in their place.
OF_BOTH = (
    "frechet_distance", "precision", "recall", "density", "coverage", "class_entropy", "nearest_distance", "memorised",
)  # fmt: skip
NAMES = (*OF_BOTH, *(f"{name}_real" for name in OF_BOTH), "num_samples")


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
