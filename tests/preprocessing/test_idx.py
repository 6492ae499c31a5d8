import gzip
from pathlib import Path

import numpy as np
import pytest

from pipeline.preprocessing import idx

IMAGES = "train-images-idx3-ubyte.gz"
LABELS = "t10k-labels-idx1-ubyte.gz"


def test_images_and_labels(idx_files: Path) -> None:
    loaded = idx.load(idx_files, 28, tuple("0123456789"))
    assert (loaded.train.inputs.shape, loaded.train.inputs.dtype) == ((20, 1, 28, 28), np.uint8)
    assert loaded.train.targets.tolist() == [*range(10)] * 2
    assert loaded.train.inputs[0].tobytes() == gzip.decompress((idx_files / IMAGES).read_bytes())[16 : 16 + 784]
    assert loaded.test.inputs.shape == (10, 1, 28, 28)


def test_another_size(idx_files: Path) -> None:
    assert idx.load(idx_files, 14, tuple("0123456789")).train.inputs.shape == (20, 1, 14, 14)


def damage(content: bytes, how: str) -> bytes:
    match how:
        case "truncated":
            return content[:-20]
        case "changed":
            return content[:-6] + bytes([content[-6] ^ 1]) + content[-5:]
        case "not compressed":
            return gzip.decompress(content)
        case "too few values":
            return gzip.compress(gzip.decompress(content)[:-1])
        case "too many values":
            return gzip.compress(gzip.decompress(content) + b"\0")
        case "a huge number of them":
            plain = gzip.decompress(content)
            return gzip.compress(plain[:4] + b"\x7f\xff\xff\xff" + plain[8:])
        case "another kind":
            return gzip.compress(b"\0\0\x0d" + gzip.decompress(content)[3:])
    return b""


@pytest.mark.parametrize("name", [IMAGES, LABELS])
@pytest.mark.parametrize(
    "how",
    [
        "truncated",
        "changed",
        "not compressed",
        "too few values",
        "too many values",
        "a huge number of them",
        "another kind",
        "emptied",
    ],
)
def test_damage_is_named(idx_files: Path, name: str, how: str) -> None:
    file = idx_files / name
    file.write_bytes(damage(file.read_bytes(), how))
    with pytest.raises(ValueError, match=rf"mnist/{name}: .+; delete .*mnist and run `dvc repro download@mnist`$"):
        idx.load(idx_files, 28, tuple("0123456789"))


def test_a_missing_file_is_named(idx_files: Path) -> None:
    (idx_files / LABELS).unlink()
    with pytest.raises(ValueError, match=rf"mnist/{LABELS}: .*No such file"):
        idx.load(idx_files, 28, tuple("0123456789"))
