"""Read data sets in the IDX format: MNIST and those that imitate it.

Format: two zero bytes, the type (8: unsigned byte), the number of axes, the size of each axis as a big-endian 32-bit
number, the values. Source: http://yann.lecun.com/exdb/mnist/
"""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from pipeline.core import scratch
from pipeline.core.storage import Examples
from pipeline.preprocessing.damage import damaged
from pipeline.preprocessing.resizing import resize
from pipeline.source.loaded import Loaded

#: Of unsigned bytes; the last byte is the number of axes.
MAGIC = 0x0800
#: gzip makes nothing smaller by more than this.
MAX_RATIO = 1032


def load(raw: Path, image_size: int, classes: tuple[str, ...]) -> Loaded:
    """Read the four files in ``raw``, with images resized to (N, 1, image_size, image_size).

    Raises:
        ValueError: a file is missing or damaged.
    """
    train, test = (
        Examples(
            resize(_read(raw, f"{part}-images-idx3-ubyte.gz", np.uint8, num_axes=3)[:, None], image_size),
            _read(raw, f"{part}-labels-idx1-ubyte.gz", np.int64, num_axes=1),
        )
        for part in ("train", "t10k")
    )
    return Loaded(train, test, classes)


def _read(raw: Path, name: str, dtype: DTypeLike, num_axes: int) -> np.ndarray:
    try:
        with gzip.open(raw / name) as file:
            magic, *shape = struct.unpack(f">I{num_axes}I", file.read(4 * (1 + num_axes)))
            if magic != MAGIC + num_axes:
                raise ValueError(f"begins with {magic:#06x} instead of {MAGIC + num_axes:#06x}")
            if math.prod(shape) > MAX_RATIO * (raw / name).stat().st_size:
                raise ValueError(f"can't hold as many values as it says: {' x '.join(map(str, shape))}")
            values = scratch.array(tuple(shape), dtype)
            for part in scratch.slices(values):
                content = file.read(values[part].size)
                values[part] = np.frombuffer(content, np.uint8).reshape(values[part].shape)
            if file.read(1):
                raise ValueError(f"holds more than {values.size} values")
    except (FileNotFoundError, gzip.BadGzipFile, EOFError, zlib.error, struct.error, ValueError) as error:
        raise damaged(raw, name, error) from None
    return values
