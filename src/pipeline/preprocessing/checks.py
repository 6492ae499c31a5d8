"""What must hold of examples before they are written."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from pipeline.core.spec import DataSpec
from pipeline.core.storage import Examples
from pipeline.preprocessing.splitting import digests

#: Modality -> type of the stored inputs; texts are Python strings.
DTYPES = {"image": np.uint8, "table": np.float32, "text": object}


def check_examples(path: str, part: str, examples: Examples, spec: DataSpec, classes: Sequence[str]) -> None:
    """Check shapes, types and values of one part of the data set at ``path``.

    Raises:
        ValueError: they aren't as ``spec`` and ``classes`` say, or a number is NaN or infinite.
    """
    dtype = np.dtype(DTYPES[spec.modality])
    inputs, targets = examples.inputs, examples.targets
    shape = (len(targets), *(() if spec.modality == "text" else spec.shape))
    if inputs.dtype != dtype or inputs.shape != shape:
        raise ValueError(f"{path}: {part} inputs are {inputs.dtype} {inputs.shape} instead of {dtype} {shape}")
    if not len(targets):
        raise ValueError(f"{path}: {part} holds no examples")
    if inputs.min() == inputs.max():
        raise ValueError(f"{path}: every value of the {part} inputs is {inputs.min()}: there is nothing to learn from")
    numbers = {"targets": targets} if spec.modality == "text" else {"inputs": inputs, "targets": targets}
    for name, values in numbers.items():
        if wrong := int((~np.isfinite(values)).sum()):
            raise ValueError(f"{path}: {part} {name} hold {wrong} values that are NaN or infinite; remove or fill them")
    if classes and not (targets.min() >= 0 and targets.max() < len(classes)):
        raise ValueError(f"{path}: {part} labels reach {targets.min()}..{targets.max()} with {len(classes)} classes")


def check_splits(path: str, splits: dict[str, Examples], classes: Sequence[str], keep_shared: bool = False) -> None:
    """Check that every class is in every split and no input in two, but for test inputs that the user wants to keep.

    Raises:
        ValueError: one of these doesn't hold.
    """
    for split, examples in splits.items():
        missing = [name for label, name in enumerate(classes) if not (examples.targets == label).any()]
        if missing:
            raise ValueError(
                f"{path}: no example of {', '.join(missing)} in the {split} split ({len(examples)} examples); "
                f"add examples or change val_fraction or test_fraction"
            )
    for (one, ones), (other, others) in combinations(splits.items(), 2):
        if keep_shared and other == "test":
            continue
        shared = len(set(digests(ones)) & set(digests(others)))
        assert not shared, f"{path}: {shared} inputs are both in {one} and in {other}"
