"""What must hold of examples before they are written."""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.core.spec import DataSpec
from pipeline.core.storage import Examples

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
    for name, values in {"inputs": inputs, "targets": targets}.items():
        if values.dtype.kind == "f" and (wrong := int((~np.isfinite(values)).sum())):
            raise ValueError(f"{path}: {part} {name} hold {wrong} values that are NaN or infinite; remove or fill them")
    if classes and not (targets.min() >= 0 and targets.max() < len(classes)):
        raise ValueError(f"{path}: {part} labels reach {targets.min()}..{targets.max()} with {len(classes)} classes")


def check_counts(path: str, counts: Mapping[str, Mapping[str, int]]) -> None:
    """Check that every class is in every split.

    Args:
        path: the data set's key.
        counts: split -> class -> number of examples.

    Raises:
        ValueError: a class is missing from a split.
    """
    for split, numbers in counts.items():
        if missing := [name for name, number in numbers.items() if not number]:
            raise ValueError(
                f"{path}: no example of {', '.join(missing)} in the {split} split ({sum(numbers.values())} examples); "
                f"add examples or change val_fraction or test_fraction"
            )
