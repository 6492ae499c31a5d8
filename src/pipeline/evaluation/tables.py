"""The CSV files that DVC plots."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path


def write_csv(file: Path, header: Sequence[str], *columns: Iterable[object], digits: int | None = None) -> None:
    """Write columns of equal length under ``header``; floats in full, or rounded to so many digits."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        for row in zip(*columns, strict=True):
            # round(x, None) would be an integer.
            writer.writerow([round(float(v), digits) if digits and isinstance(v, float) else v for v in row])
