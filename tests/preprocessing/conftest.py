import gzip
import struct
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def idx_files(tmp_path: Path) -> Path:
    """A folder like that of MNIST with 20 training and 10 test images of random pixels."""
    raw = tmp_path / "mnist"
    raw.mkdir()
    random = np.random.default_rng(0)
    for part, num in (("train", 20), ("t10k", 10)):
        pixels = random.integers(0, 256, (num, 28, 28), np.uint8)
        header = struct.pack(">4I", 0x803, num, 28, 28)
        (raw / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(header + pixels.tobytes()))
        labels = struct.pack(">2I", 0x801, num) + bytes(range(10)) * (num // 10)
        (raw / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
    return raw
