"""Decide which split an example belongs to, so that no input stands in two.

The rule for examples with equal inputs, which public data sets contain: they go to one split together, and what stands
in an official test part is taken out of the training part. The test part itself stays whole, so that figures remain
comparable with published ones.

A large data set is split by parts, which the hash of an input chooses: equal inputs are in one part, and the memory
that it takes has a bound.
"""

from hashlib import blake2b

import numpy as np

from pipeline.core import scratch
from pipeline.core.storage import Examples
from pipeline.seeding import derive

#: What :func:`assign` says of an example.
TRAIN, VAL, TEST, SHARED = range(4)
#: Examples of a part at most, about.
PART = 1 << 17


def digests(examples: Examples) -> np.ndarray:
    """A 16-byte hash of each input, S16 (N,); the target doesn't count."""
    found = scratch.array((len(examples),), "S16")
    texts = examples.inputs.dtype == object
    for position, row in enumerate(examples.inputs):
        content = row.encode("utf-8") if texts else row.tobytes()
        found[position] = blake2b(content, digest_size=16).digest()
    return found


def assign(
    train: Examples, test: Examples | float, val_fraction: float, seed: int, path: str, keep_shared: bool = False
) -> tuple[np.ndarray, int]:
    """Choose a split for each example of ``train``, at random.

    Args:
        train: what to choose for, with the validation examples still among them.
        test: the official test part; or how much of the different inputs of ``train`` is for testing.
        val_fraction: how much of the different inputs of what is left is for validation.
        seed: of ``params.yaml``.
        path: the data set's key, under which the user gave the fractions.
        keep_shared: whether to keep what stands in the official test part too.

    Returns:
        uint8 (N,): TRAIN, VAL, SHARED with the official test part, or TEST where there is none. Every class is split in
        the same proportion; what is the only input of its class in a part is in TRAIN. And the number of examples that
        stand in the official test part too.

    Raises:
        ValueError: too few examples for a fraction.
    """
    own = digests(train)
    official = digests(test) if isinstance(test, Examples) else own[:0]
    num_parts = -(-(len(own) + len(official)) // PART)
    places, num_shared = scratch.array((len(own),), np.uint8), 0
    for part in range(num_parts):
        positions = _members(own, part, num_parts)
        first, group = _groups(own[positions])
        labels = train.targets[positions[first]] if train.targets.dtype == np.int64 else None
        place = np.full(len(first), TRAIN, np.uint8)  # of each different input
        if isinstance(test, Examples):
            shared = np.isin(own[positions[first]], official[_members(official, part, num_parts)])
            num_shared += int(np.count_nonzero(shared[group]))
            if not keep_shared:
                place[shared] = SHARED
        else:
            _draw(place, TEST, test, labels, derive(seed, "test split") + part, f"{path}.test_fraction")
        _draw(place, VAL, val_fraction, labels, derive(seed, "val split") + part, f"{path}.val_fraction")
        places[positions] = place[group]
    return places, num_shared


def _members(digests: np.ndarray, part: int, num_parts: int) -> np.ndarray:
    """The positions of the digests of a part."""
    return np.concatenate(
        [
            chunk.start + np.flatnonzero(digests[chunk].view(np.uint64)[::2] % num_parts == part)
            for chunk in scratch.slices(digests)
        ]
    )


def _groups(digests: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first position of each different digest, ascending; and for each digest which of these it is."""
    _, first, group = np.unique(digests, return_index=True, return_inverse=True)
    order = np.argsort(first)
    return first[order], np.argsort(order)[group]


def _draw(place: np.ndarray, split: int, fraction: float, labels: np.ndarray | None, seed: int, path: str) -> None:
    """Move ``fraction`` of what is in TRAIN to ``split``, from every class in the same proportion."""
    # scikit-learn takes seconds to import.
    from sklearn.model_selection import train_test_split

    rest = np.flatnonzero(place == TRAIN)
    if labels is not None:
        rest = rest[np.bincount(labels[rest])[labels[rest]] > 1]
    try:
        # scikit-learn takes seeds of 32 bits.
        strata = None if labels is None else labels[rest]
        _, gone = train_test_split(rest, test_size=fraction, random_state=seed % 2**32, stratify=strata)
    except ValueError as error:
        raise ValueError(f"{path}: {fraction} of {len(rest)} different examples can't be split off: {error}") from None
    place[gone] = split
