"""CIFAR-10, 60,000 colour pictures of ten kinds of things, 32 x 32 pixels.

Source: A. Krizhevsky, Learning multiple layers of features from tiny images (2009).
"""

from pathlib import Path
from typing import Literal

import numpy as np

from pipeline.core.schema import Schema
from pipeline.core.spec import DataSpec
from pipeline.core.storage import Examples
from pipeline.source.loaded import Fraction, ImageSize, Loaded

FOLDER = "cifar-10-batches-py"
TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


class Options(Schema):
    """The whole entry under ``datasets``.

    Attributes:
        path: the file with the md5 of each downloaded file.
        image_size: side in pixels to which images are resized.
        val_fraction: of the 50,000 training examples; the 10,000 test examples stay apart.
    """

    kind: Literal["cifar10"]
    path: str
    image_size: ImageSize = 32
    val_fraction: Fraction = 0.1


def spec(options: Options) -> DataSpec:
    """Colour images of ten classes."""
    return DataSpec(modality="image", shape=(3, options.image_size, options.image_size), num_classes=len(CLASSES))


def download(path: Path, raw: Path) -> None:
    """Put the folder ``cifar-10-batches-py`` into ``raw``.

    Raises:
        ValueError: a file could not be had, or isn't the one that the checksum file ``path`` lists.
    """
    from pipeline.downloading import archive, http
    from pipeline.downloading.fetching import fetch

    def from_network(missing: dict[str, str], cache: Path) -> None:
        from torchvision.datasets import CIFAR10

        packed = cache / CIFAR10.filename
        http.fetch([CIFAR10.url], packed, CIFAR10.tgz_md5)
        archive.unpack(packed, missing, cache)
        packed.unlink()

    # A mirror has the folder at its top.
    fetch("cifar10", path, raw, "", from_network)


def load(raw: Path, options: Options) -> Loaded:
    """Read what :func:`download` fetched.

    Raises:
        ValueError: a file is missing or damaged.
    """
    return Loaded(_read(raw, TRAIN, options.image_size), _read(raw, ("test_batch",), options.image_size), CLASSES)


def _read(raw: Path, names: tuple[str, ...], image_size: int) -> Examples:
    from pipeline.preprocessing.damage import damaged
    from pipeline.preprocessing.resizing import resize
    from pipeline.preprocessing.unpickling import unpickle

    inputs, targets = [], []
    for name in names:
        try:
            batch = unpickle(raw / FOLDER / name)
            inputs.append(batch["data"].reshape(-1, 3, 32, 32))  # (10000, 3, 32, 32)
            targets.append(np.array(batch["labels"], np.int64))
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise damaged(raw, f"{FOLDER}/{name}", error) from None
    return Examples(resize(np.concatenate(inputs), image_size), np.concatenate(targets))
