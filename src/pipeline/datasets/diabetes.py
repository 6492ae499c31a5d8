"""Diabetes progression, 442 patients with 10 measurements each, bundled with scikit-learn: regression.

Source: B. Efron et al., Least Angle Regression, Annals of Statistics 32 (2004).
"""

from pathlib import Path
from typing import Literal

import numpy as np

from pipeline.core.schema import Schema
from pipeline.core.spec import DataSpec
from pipeline.core.storage import Examples
from pipeline.source.loaded import Fraction, Loaded

FILE = "diabetes.csv"


class Options(Schema):
    """The whole entry under ``datasets``.

    Attributes:
        path: the file with the md5 of the written table.
        test_fraction: of all examples; ``val_fraction``: of the others.
    """

    kind: Literal["diabetes"]
    path: str
    test_fraction: Fraction = 0.2
    val_fraction: Fraction = 0.1


def spec(options: Options) -> DataSpec:
    """Ten features: age, sex, body mass index, blood pressure and six serum values; one real target."""
    return DataSpec(modality="table", shape=(10,), num_classes=0)


def download(path: Path, raw: Path) -> None:
    """Write ``diabetes.csv`` into ``raw``: ten features in their own units and the target (25..346) in each line.

    Raises:
        ValueError: scikit-learn's data are not those of the checksum file ``path``.
    """
    from sklearn.datasets import load_diabetes

    from pipeline.downloading import checksums, tables

    # scikit-learn's scaled form was scaled with the test examples included.
    bundled = load_diabetes(scaled=False)
    rows = np.column_stack([bundled.data, bundled.target])  # (442, 11)
    tables.write(raw / FILE, [*bundled.feature_names, "target"], rows)
    checksums.verify(raw, path, "scikit-learn bundles other data: install the version in requirements.txt")


def load(raw: Path, options: Options) -> Loaded:
    """Read what :func:`download` wrote.

    Raises:
        ValueError: the file is damaged.
    """
    from pipeline.preprocessing import tables

    rows = tables.read(raw, FILE, num_columns=11).astype(np.float32)
    return Loaded(Examples(rows[:, :-1], rows[:, -1]), options.test_fraction, ())
