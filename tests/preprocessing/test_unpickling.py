import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from pipeline.preprocessing.unpickling import unpickle


class Harmful:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> object:
        return Path.touch, (self.trace,)


def test_a_call_is_refused_before_it_happens(tmp_path: Path) -> None:
    file, trace = tmp_path / "batch", tmp_path / "trace"
    file.write_bytes(pickle.dumps({"data": Harmful(trace)}))
    with pytest.raises(ValueError, match=r"asks for pathlib\S+, which no array needs"):
        unpickle(file)
    assert not trace.exists()


def python2_batch(pixels: np.ndarray, labels: list[int]) -> bytes:
    """A pickle as Python 2 wrote those of CIFAR-10: texts of single bytes, and NumPy's old module names."""
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR(K\x01("
        + b"".join(b"J" + struct.pack("<i", size) for size in pixels.shape)
        + b"tcnumpy\ndtype\n(U\x02u1K\x00K\x01tR(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tbI00\nT"
        + struct.pack("<i", pixels.size)
        + pixels.tobytes()
        + b"tb"
    )
    numbers = b"(" + b"".join(b"K" + bytes([label]) for label in labels) + b"l"
    return b"\x80\x02(U\x04data" + array + b"U\x06labels" + numbers + b"d."


def test_the_arrays_of_python_2(tmp_path: Path) -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(2, 128)
    (tmp_path / "batch").write_bytes(python2_batch(pixels, [3, 7]))
    batch = unpickle(tmp_path / "batch")
    assert (batch["data"] == pixels).all()
    assert batch["labels"] == [3, 7]


@pytest.mark.parametrize("length", [0, 1, 10, 100, 300])
def test_a_truncated_file(tmp_path: Path, length: int) -> None:
    content = python2_batch(np.arange(256, dtype=np.uint8).reshape(2, 128), [3, 7])
    (tmp_path / "batch").write_bytes(content[:length])
    with pytest.raises(ValueError, match=r"\w"):
        unpickle(tmp_path / "batch")
