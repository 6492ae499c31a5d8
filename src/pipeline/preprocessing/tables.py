"""Read a table of numbers with one header line."""

from pathlib import Path

import numpy as np

from pipeline.preprocessing.damage import damaged


def read(raw: Path, name: str, num_columns: int) -> np.ndarray:
    """The rows of ``raw/name`` as float64 (N, num_columns).

    Raises:
        ValueError: the file is missing, a field isn't a number, or a line has another number of fields.
    """
    try:
        lines = (raw / name).read_text(encoding="ascii").splitlines()[1:]
        return np.array([line.split(",") for line in lines], dtype=np.float64).reshape(-1, num_columns)
    except (OSError, ValueError) as error:
        raise damaged(raw, name, error) from None
