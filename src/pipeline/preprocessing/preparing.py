"""From a loaded data set to the three splits and their description."""

from collections.abc import Sequence

import numpy as np

from pipeline.core.spec import DataSpec
from pipeline.core.storage import Examples, Meta
from pipeline.preprocessing import statistics
from pipeline.preprocessing.checks import check_examples, check_splits
from pipeline.preprocessing.splitting import split_off, without
from pipeline.seeding import derive
from pipeline.source.loaded import Loaded


def prepare(
    path: str, loaded: Loaded, spec: DataSpec, val_fraction: float, seed: int
) -> tuple[dict[str, Examples], Meta]:
    """Split off validation and, where there is no official one, test examples; check and describe the result.

    Args:
        path: the data set's key, such as ``datasets.digits``.
        loaded: what the data set's ``load`` returned.
        spec: what its ``spec`` returned; the number of classes is taken from ``loaded``.
        val_fraction: of the examples that aren't test examples.
        seed: of ``params.yaml``.

    Raises:
        ValueError: the examples aren't fit for training; the message says why.
    """
    classes = loaded.classes
    check_examples(path, "train", loaded.train, spec, classes)
    if isinstance(loaded.test, Examples):
        check_examples(path, "test", loaded.test, spec, classes)
        rest, test = without(loaded.train, loaded.test), loaded.test
    else:
        test_seed = derive(seed, "test split")
        rest, test = split_off(loaded.train, loaded.test, test_seed, classes, f"{path}.test_fraction")
    train, val = split_off(rest, val_fraction, derive(seed, "val split"), classes, f"{path}.val_fraction")
    splits = {"train": train, "val": val, "test": test}
    check_splits(path, splits, classes)
    return splits, _describe(splits, spec, classes)


def _describe(splits: dict[str, Examples], spec: DataSpec, classes: Sequence[str]) -> Meta:
    inputs = splits["train"].inputs
    image = spec.modality == "image"
    mean, std = statistics.of_images(inputs) if image else statistics.of_table(inputs)
    return Meta(
        spec=DataSpec(modality=spec.modality, shape=spec.shape, num_classes=len(classes)),
        classes=tuple(classes),
        counts={split: _count(examples.targets, classes) for split, examples in splits.items()},
        scale=255.0 if image else 1.0,
        mean=tuple(mean),
        std=tuple(std),
    )


def _count(targets: np.ndarray, classes: Sequence[str]) -> dict[str, int]:
    if not classes:
        return {"all": len(targets)}
    return dict(zip(classes, np.bincount(targets, minlength=len(classes)).tolist(), strict=True))
