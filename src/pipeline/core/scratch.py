"""Arrays that may be larger than the memory, and ways to go through them that take none of it."""

import math
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

#: Smaller arrays stay in memory, bytes.
SMALL = 1 << 20
#: What is worked on at a time, bytes.
CHUNK = 1 << 22


def array(shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """Zeros of any shape. Many are in a file, from which the system reads, and to which it writes, what it must.

    The file has no name and ends with the array, or with the process. It is on the disk of the working folder, to which
    the results go too; what is called temporary is often a part of the memory.

    Raises:
        OSError: the disk is full or read-only.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size < SMALL:
        return np.zeros(shape, dtype)
    with tempfile.TemporaryFile(dir=".") as file:
        if sys.platform != "darwin":  # where a full disk kills the process that writes to the array
            try:
                os.posix_fallocate(file.fileno(), 0, size)
            except OSError as error:
                needed = f"{size / 2**20:,.0f} MiB are needed for a while in {Path.cwd()}"
                raise OSError(error.errno, f"{error.strerror}: {needed}") from None
        return np.memmap(file, dtype, "w+", shape=shape).view(np.ndarray)


def slices(values: np.ndarray) -> Iterator[slice]:
    """Consecutive parts of ``values`` (N, ...), of about :data:`CHUNK` bytes; of an empty array an empty one.

    None is longer than that many int64 would be, such as positions in it.
    """
    step = max(1, CHUNK // max(8, values[:1].nbytes))
    return (slice(begin, begin + step) for begin in range(0, max(1, len(values)), step))


def taken(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    """``values[index]``, (n, ...), of ``values`` (N, ...) at the positions ``index`` (n,), as a new :func:`array`."""
    if values.dtype == object:
        return values[index]
    found = array((len(index), *values.shape[1:]), values.dtype)
    for part in slices(found):
        found[part] = values[index[part]]
    return found


def where(values: np.ndarray, value: int) -> np.ndarray:
    """The positions, int64 (n,) in ascending order, at which ``values`` (N,) hold ``value``, as a new :func:`array`."""
    found = array((sum(int(np.count_nonzero(values[part] == value)) for part in slices(values)),), np.int64)
    end = 0
    for part in slices(values):
        positions = part.start + np.flatnonzero(values[part] == value)
        found[end : end + len(positions)] = positions
        end += len(positions)
    return found
