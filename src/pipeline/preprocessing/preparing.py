"""From a loaded data set to the three splits and their description."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.core import scratch
from pipeline.core.spec import DataSpec
from pipeline.core.storage import Examples, Meta
from pipeline.preprocessing import splitting, statistics, vocabulary
from pipeline.preprocessing.checks import check_counts, check_examples
from pipeline.source.loaded import Loaded
from pipeline.source.texts import Text


def prepare(
    path: str, loaded: Loaded, spec: DataSpec, val_fraction: float, seed: int
) -> tuple[dict[str, Examples], Meta]:
    """Split off validation and, where there is no official one, test examples; check and describe the result.

    Args:
        path: the data set's key, such as ``datasets.digits``.
        loaded: what the data set's ``load`` returned.
        spec: what its ``spec`` returned; the numbers of classes and tokens are taken from ``loaded``.
        val_fraction: of the examples that aren't test examples.
        seed: of ``params.yaml``.

    Raises:
        ValueError: the examples aren't fit for training; the message says why.
    """
    classes, whole = loaded.classes, loaded.train
    check_examples(path, "train", whole, spec, classes)
    if isinstance(loaded.test, Examples):
        check_examples(path, "test", loaded.test, spec, classes)
    keep_shared = loaded.text is not None and not loaded.text.drop_shared
    places, num_shared = splitting.assign(whole, loaded.test, val_fraction, seed, classes, path, keep_shared)
    train, val = (whole.take(scratch.where(places, split)) for split in (splitting.TRAIN, splitting.VAL))
    test = loaded.test
    if not isinstance(test, Examples):
        test = whole.take(scratch.where(places, splitting.TEST))
    splits = {"train": train, "val": val, "test": test}
    counts = {split: _count(examples.targets, classes) for split, examples in splits.items()}
    check_counts(path, counts)
    found, inputs = _describe(path, train, spec.model_copy(update={"num_classes": len(classes)}), loaded.text)
    return splits, Meta(spec=found, classes=tuple(classes), counts=counts, num_shared=num_shared, **inputs)


def _describe(path: str, train: Examples, spec: DataSpec, text: Text | None) -> tuple[DataSpec, dict[str, Any]]:
    """The shape of the inputs and how a network is to read them, learnt from the training split."""
    if text:
        tokenizer = vocabulary.learn(train.inputs, text, f"{path}.text")
        return spec.model_copy(update={"num_tokens": tokenizer.num_tokens}), {"tokenizer": tokenizer}
    image = spec.modality == "image"
    mean, std = statistics.of_images(train.inputs) if image else statistics.of_table(train.inputs)
    return spec, {"scale": 255.0 if image else 1.0, "mean": tuple(mean), "std": tuple(std)}


def _count(targets: np.ndarray, classes: Sequence[str]) -> dict[str, int]:
    if not classes:
        return {"all": len(targets)}
    return dict(zip(classes, np.bincount(targets, minlength=len(classes)).tolist(), strict=True))
