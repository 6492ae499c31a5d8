"""Fashion-MNIST, 70,000 pictures of clothes of 28 x 28 pixels.

Source: H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST (2017), arXiv:1708.07747.
"""

from pathlib import Path
from typing import Literal

from pipeline.core.schema import Schema
from pipeline.core.spec import DataSpec
from pipeline.source.loaded import Fraction, ImageSize, Loaded

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


class Options(Schema):
    """The whole entry under ``datasets``.

    Attributes:
        path: the file with the md5 of each downloaded file.
        image_size: side in pixels to which images are resized.
        val_fraction: of the 60,000 training examples; the 10,000 test examples stay apart.
    """

    kind: Literal["fashion_mnist"]
    path: str
    image_size: ImageSize = 28
    val_fraction: Fraction = 0.1


def spec(options: Options) -> DataSpec:
    """Grey images of ten classes."""
    return DataSpec(modality="image", shape=(1, options.image_size, options.image_size), num_classes=len(CLASSES))


def download(path: Path, raw: Path) -> None:
    """Put the four compressed files into ``raw``.

    Raises:
        ValueError: a file could not be had, or isn't the one that the checksum file ``path`` lists.
    """
    from pipeline.downloading import idx

    idx.download("fashion_mnist", "FashionMNIST", path, raw)


def load(raw: Path, options: Options) -> Loaded:
    """Read what :func:`download` fetched.

    Raises:
        ValueError: a file is damaged.
    """
    from pipeline.preprocessing import idx

    return idx.load(raw, options.image_size, CLASSES)
