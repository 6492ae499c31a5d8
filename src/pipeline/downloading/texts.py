"""Write texts with their labels as a table that a person can read and that is the same on every machine."""

import csv
from collections.abc import Iterable
from pathlib import Path


def write(file: Path, rows: Iterable[tuple[str, str]]) -> None:
    """Write the columns ``label`` and ``text`` as CSV in UTF-8."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("label", "text"))
        writer.writerows(rows)
