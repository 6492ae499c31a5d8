"""Write a table of numbers as a text that a person can read and that is the same on every machine."""

from pathlib import Path

import numpy as np


def write(file: Path, header: list[str], rows: np.ndarray) -> None:
    """Write (N, F) ``rows`` under ``header``, each number in its shortest exact form."""
    lines = [",".join(header), *(",".join(map(repr, row)) for row in rows.tolist())]
    file.write_text("\n".join(lines) + "\n", encoding="ascii", newline="\n")
