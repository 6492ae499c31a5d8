"""Split examples so that no input stands on both sides.

The rule for examples with equal inputs, which public data sets contain: they go to one side together, and what stands
in an official test part is taken out of the training part. The test part itself stays whole, so that figures remain
comparable with published ones.
"""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from pipeline.core.storage import Examples


def digests(examples: Examples) -> list[bytes]:
    """A 16-byte hash of each input; the target doesn't count."""
    texts = examples.inputs.dtype == object
    rows = (text.encode("utf-8") for text in examples.inputs) if texts else np.ascontiguousarray(examples.inputs)
    return [blake2b(row, digest_size=16).digest() for row in rows]


def without(examples: Examples, others: Examples) -> Examples:
    """Those of ``examples`` whose input isn't among ``others``."""
    known = set(digests(others))
    return examples.take(np.array([digest not in known for digest in digests(examples)]))


def split_off(
    examples: Examples, fraction: float, seed: int, classes: Sequence[str], path: str
) -> tuple[Examples, Examples]:
    """Split ``examples`` at random into what stays and what goes, each in the order it had.

    Args:
        examples: what to split.
        fraction: how much of the different inputs goes.
        seed: determines the choice.
        classes: their names; every class is split in the same proportion. Empty for a real target.
        path: the key under which the user gave ``fraction``.

    Raises:
        ValueError: too few examples of a class for this fraction.
    """
    # scikit-learn takes seconds to import.
    from sklearn.model_selection import train_test_split

    numbers: dict[bytes, int] = {}
    group = np.array([numbers.setdefault(digest, len(numbers)) for digest in digests(examples)])  # (N,)
    first = np.unique(group, return_index=True)[1]  # (number of groups,) the first example of each
    labels = examples.targets[first] if classes else None
    if labels is not None:
        counts = np.bincount(labels, minlength=len(classes))
        if few := [name for name, count in zip(classes, counts, strict=True) if count < 2]:
            raise ValueError(f"{path}: at least 2 different examples of a class are needed; too few: {', '.join(few)}")
    try:
        # scikit-learn takes seeds of 32 bits.
        _, gone = train_test_split(
            np.arange(len(first)), test_size=fraction, random_state=seed % 2**32, stratify=labels
        )
    except ValueError as error:
        raise ValueError(f"{path}: {fraction} of {len(first)} different examples can't be split off: {error}") from None
    goes = np.isin(group, gone)
    return examples.take(~goes), examples.take(goes)
