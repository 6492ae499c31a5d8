"""Find equal inputs, among more than fit the memory."""

from hashlib import blake2b

import numpy as np

from pipeline.core import scratch

#: Different inputs, about, that are compared at a time.
PART = 1 << 15


def digests(inputs: np.ndarray) -> np.ndarray:
    """A 16-byte hash of each of ``inputs`` (N, ...), arrays or texts: S16 (N,)."""
    # NumPy takes zero bytes off the end when it returns one; all have 16, so none becomes another by that.
    found = scratch.array((len(inputs),), "S16")
    texts = inputs.dtype == object
    for position, row in enumerate(inputs):
        content = row.encode("utf-8") if texts else row.tobytes()
        found[position] = blake2b(content, digest_size=16).digest()
    return found


def first_equals(own: np.ndarray, known: np.ndarray) -> np.ndarray:
    """For each of ``own`` the position of the first that equals it, or -1 if it is among ``known``: int64 (N,).

    Both are :func:`digests`, S16 (N,) and (M,), and are compared by parts that they choose themselves.
    """
    num_parts = 1 + (len(own) + len(known)) // PART
    first = scratch.array((len(own),), np.int64)
    for mine, theirs in zip(_parts(own, num_parts), _parts(known, num_parts), strict=True):
        seen = {digest: -1 for part in scratch.slices(theirs) for digest in known[theirs[part]].tolist()}
        for part in scratch.slices(mine):
            positions = mine[part]
            found = zip(own[positions].tolist(), positions.tolist(), strict=True)
            first[positions] = [seen.setdefault(digest, position) for digest, position in found]
    return first


def _parts(digests: np.ndarray, num_parts: int) -> list[np.ndarray]:
    """The positions (n,) of the digests of each part, ascending, by a counting sort."""
    counts = np.zeros(num_parts, np.int64)
    for some in scratch.slices(digests):
        counts += np.bincount(_numbers(digests[some], num_parts), minlength=num_parts)
    ends = np.cumsum(counts)
    order, places = scratch.array((len(digests),), np.int64), ends - counts
    for some in scratch.slices(digests):
        part = _numbers(digests[some], num_parts)
        counts = np.bincount(part, minlength=num_parts)
        by_part = np.argsort(part, kind="stable")
        within = np.arange(len(part)) - np.repeat(np.cumsum(counts) - counts, counts)
        order[places[part[by_part]] + within] = some.start + by_part
        places += counts
    return np.split(order, ends[:-1])


def _numbers(digests: np.ndarray, num_parts: int) -> np.ndarray:
    return (digests.view(np.uint64)[::2] % num_parts).astype(np.int64)
