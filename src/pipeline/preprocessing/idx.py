"""Read data sets in the IDX format: MNIST and those that imitate it.

Format: two zero bytes, the type (8: unsigned byte), the number of axes, the size of each axis as a big-endian 32-bit
number, the values. Source: http://yann.lecun.com/exdb/mnist/
"""

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np

from pipeline.core.storage import Examples
from pipeline.preprocessing.damage import damaged
from pipeline.preprocessing.resizing import resize
from pipeline.source.loaded import Loaded


def load(raw: Path, image_size: int, classes: tuple[str, ...]) -> Loaded:
    """Read the four files in ``raw``, with images resized to (N, 1, image_size, image_size).

    Raises:
        ValueError: a file is missing or damaged.
    """
    train, test = (
        Examples(
            resize(_read(raw, f"{part}-images-idx3-ubyte.gz", num_axes=3)[:, None], image_size),
            _read(raw, f"{part}-labels-idx1-ubyte.gz", num_axes=1).astype(np.int64),
        )
        for part in ("train", "t10k")
    )
    return Loaded(train, test, classes)


def _read(raw: Path, name: str, num_axes: int) -> np.ndarray:
    try:
        content = gzip.decompress((raw / name).read_bytes())
        magic, *shape = struct.unpack_from(f">I{num_axes}I", content)
        values = np.frombuffer(content, np.uint8, offset=4 * (1 + num_axes)).reshape(shape)
    except (OSError, EOFError, zlib.error, struct.error, ValueError) as error:
        raise damaged(raw, name, error) from None
    if magic != 0x0800 + num_axes:
        raise damaged(raw, name, f"begins with {magic:#06x} instead of {0x0800 + num_axes:#06x}")
    return values
