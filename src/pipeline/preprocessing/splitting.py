"""Decide which split an example belongs to, so that no input stands in two.

The rule for examples with equal inputs, which public data sets contain: they go to one split together, and what stands
in an official test part is taken out of the training part. The test part itself stays whole, so that figures remain
comparable with published ones.

All of it takes the same memory for any number of examples.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from pipeline.core import scratch
from pipeline.core.storage import Examples
from pipeline.preprocessing.equality import digests, first_equals
from pipeline.seeding import derive

#: What :func:`assign` says of an example, and of one that goes where the first with its input goes.
TRAIN, VAL, TEST, SHARED, COPY = range(5)
#: So many different inputs scikit-learn splits; it takes about a hundred bytes for each.
MAX_AT_ONCE = 1 << 17


def assign(
    train: Examples,
    test: Examples | float,
    val_fraction: float,
    seed: int,
    classes: Sequence[str],
    path: str,
    keep_shared: bool = False,
) -> tuple[np.ndarray, int]:
    """Choose a split for each example of ``train``, at random.

    Args:
        train: what to choose for, with the validation examples still among them.
        test: the official test part; or how much of the different inputs of ``train`` is for testing.
        val_fraction: how much of the different inputs of what is left is for validation.
        seed: of ``params.yaml``.
        classes: their names; every class is split in the same proportion. Empty for a real target.
        path: the data set's key, under which the user gave the fractions.
        keep_shared: whether to keep what stands in the official test part too.

    Returns:
        uint8 (N,): TRAIN, VAL, SHARED with the official test part, or TEST where there is none. And the number of
        examples whose input stands in the official test part too.

    Raises:
        ValueError: too few examples of a class for a fraction.
    """
    own = digests(train.inputs)
    official = digests(test.inputs) if isinstance(test, Examples) else own[:0]
    first = first_equals(own, official)
    num_shared = sum(int(np.count_nonzero(first[part] < 0)) for part in scratch.slices(first))
    if num_shared and keep_shared:
        first = first_equals(own, official[:0])

    places = scratch.array((len(train),), np.uint8)
    for part in scratch.slices(first):
        is_copy = first[part] != np.arange(part.start, part.start + len(first[part]))
        places[part] = np.where(first[part] < 0, SHARED, np.where(is_copy, COPY, TRAIN))
    labels = train.targets if classes else None
    if not isinstance(test, Examples):
        _draw(places, TEST, test, labels, classes, derive(seed, "test split"), f"{path}.test_fraction")
    _draw(places, VAL, val_fraction, labels, classes, derive(seed, "val split"), f"{path}.val_fraction")
    for part in scratch.slices(first):
        place = places[part]
        place[place == COPY] = places[first[part][place == COPY]]
    return places, num_shared


def _draw(
    places: np.ndarray,
    split: int,
    fraction: float,
    labels: np.ndarray | None,
    classes: Sequence[str],
    seed: int,
    path: str,
) -> None:
    """Move ``fraction`` of what is in TRAIN to ``split``, from every class in the same proportion."""
    rest = scratch.where(places, TRAIN)
    counts = np.array([len(rest)])
    if labels is not None:
        counts = sum(
            (np.bincount(labels[rest[part]], minlength=len(classes)) for part in scratch.slices(rest)),
            np.zeros(len(classes), np.int64),
        )
        if few := [name for name, count in zip(classes, counts, strict=True) if count < 2]:
            raise ValueError(f"{path}: at least 2 different examples of a class are needed; too few: {', '.join(few)}")
    if len(rest) <= MAX_AT_ONCE:
        places[_drawn_at_once(rest, fraction, None if labels is None else labels[rest], seed, path)] = split
        return
    for chosen in _drawn(rest, fraction, labels, counts, seed):
        places[chosen] = split


def _drawn_at_once(rest: np.ndarray, fraction: float, labels: np.ndarray | None, seed: int, path: str) -> np.ndarray:
    # scikit-learn takes seconds to import.
    from sklearn.model_selection import train_test_split

    try:
        # scikit-learn takes seeds of 32 bits.
        _, chosen = train_test_split(rest, test_size=fraction, random_state=seed % 2**32, stratify=labels)
    except ValueError as error:
        raise ValueError(
            f"{path}: {fraction} of {len(rest)} different examples can't be split off: {error}; "
            "give a larger fraction or more examples"
        ) from None
    return np.asarray(chosen)


def _drawn(
    rest: np.ndarray, fraction: float, labels: np.ndarray | None, counts: np.ndarray, seed: int
) -> Iterator[np.ndarray]:
    """Selection sampling (D. Knuth, TAOCP 2, 3.4.2) of each class: of what comes, as many as are due by chance."""
    generator = np.random.default_rng(seed)
    left = counts.copy()
    wanted = np.rint(fraction * counts).astype(np.int64).clip(1, counts - 1)
    for part in scratch.slices(rest):
        positions = rest[part]
        label = np.zeros(len(positions), np.int64) if labels is None else labels[positions]
        order = np.argsort(label, kind="stable")
        found, starts = np.unique(label[order], return_index=True)
        for number, members in zip(found, np.split(positions[order], starts[1:]), strict=True):
            due = generator.hypergeometric(wanted[number], left[number] - wanted[number], len(members))
            yield generator.choice(members, due, replace=False)
            left[number] -= len(members)
            wanted[number] -= due
