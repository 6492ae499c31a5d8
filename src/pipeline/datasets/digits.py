"""Handwritten digits, 1,797 images of 8 x 8 pixels, bundled with scikit-learn: no download, trains in seconds.

Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI (1998), the test part.
"""

from pathlib import Path
from typing import Literal

import numpy as np

from pipeline.core.schema import Schema
from pipeline.core.spec import DataSpec
from pipeline.core.storage import Examples
from pipeline.source.loaded import Fraction, ImageSize, Loaded

FILE = "digits.csv"
BRIGHTEST = 16  # a pixel counts the inked points of a 4 x 4 square


class Options(Schema):
    """The whole entry under ``datasets``.

    Attributes:
        path: the file with the md5 of the written table.
        image_size: side in pixels to which the 8 x 8 are enlarged.
        test_fraction: of all examples; ``val_fraction``: of the others.
    """

    kind: Literal["digits"]
    path: str
    image_size: ImageSize = 28
    test_fraction: Fraction = 0.2
    val_fraction: Fraction = 0.1


def spec(options: Options) -> DataSpec:
    """Grey images of ten classes."""
    return DataSpec(modality="image", shape=(1, options.image_size, options.image_size), num_classes=10)


def download(path: Path, raw: Path) -> None:
    """Write ``digits.csv`` into ``raw``: 64 pixels (0..16) and the label in each line.

    Raises:
        ValueError: scikit-learn's data are not those of the checksum file ``path``.
    """
    from sklearn.datasets import load_digits

    from pipeline.downloading import checksums, tables

    bundled = load_digits()
    rows = np.column_stack([bundled.data, bundled.target]).astype(int)  # (1797, 65)
    tables.write(raw / FILE, [*bundled.feature_names, "label"], rows)
    checksums.verify(raw, path, "scikit-learn bundles other data: install the version in requirements.txt")


def load(raw: Path, options: Options) -> Loaded:
    """Read what :func:`download` wrote.

    Raises:
        ValueError: the file is damaged.
    """
    from pipeline.preprocessing import tables
    from pipeline.preprocessing.resizing import resize

    rows = tables.read(raw, FILE, num_columns=65)
    pixels = np.rint(rows[:, :-1] * 255 / BRIGHTEST).astype(np.uint8).reshape(-1, 1, 8, 8)
    examples = Examples(resize(pixels, options.image_size), rows[:, -1].astype(np.int64))
    return Loaded(examples, options.test_fraction, tuple("0123456789"))
