"""Read a table of texts and labels, and say in which lines it is wrong."""

import csv
import io
import sys
from pathlib import Path

from pipeline.core.schema import nearest

MAX_SHOWN = 20


def read(
    file: Path, text_column: str, label_column: str, encoding: str = "utf-8", delimiter: str = ",", shown: str = ""
) -> tuple[list[str], list[str]]:
    """The texts and the labels of a CSV file with a header line; spaces around a label don't count.

    Args:
        file: what to read.
        text_column: as it stands in the header.
        label_column: the same.
        encoding: of the file; a byte order mark is skipped.
        delimiter: between fields.
        shown: how messages name the file; by its path if empty.

    Raises:
        ValueError: the file can't be read, a column is missing, or lines are wrong; the message gives their numbers.
    """
    shown = shown or str(file)
    rows = _rows(file, encoding, delimiter, shown)
    if len(rows) < 2:
        raise ValueError(f"{shown}: the file has no texts; a header line and one line for each text are needed")
    header = rows.pop(0)[1]
    columns = [_column(name, header, shown) for name in (text_column, label_column)]
    texts, labels, problems = [], [], []
    for line, row in rows:
        if len(row) != len(header):
            problems.append((line, f"{len(row)} fields instead of {len(header)}"))
            continue
        text, label = (row[column] for column in columns)
        if not text.strip() or not label.strip():
            problems.append((line, f"{(label_column if text.strip() else text_column)!r} is empty"))
        texts.append(text)
        labels.append(label.strip())
    if problems:
        lines = [f"  line {line}: {problem}" for line, problem in problems[:MAX_SHOWN]]
        more = [f"  and {len(problems) - MAX_SHOWN} more"] if len(problems) > MAX_SHOWN else []
        raise ValueError(
            "\n".join([f"{shown}: {len(problems)} lines are wrong; correct or remove them:", *lines, *more])
        )
    return texts, labels


def _rows(file: Path, encoding: str, delimiter: str, shown: str) -> list[tuple[int, list[str]]]:
    """Each row with the number of the line that it begins in; empty lines are skipped."""
    content = file.read_bytes()
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(
            f"{shown}: line {line} is not in the encoding {encoding} ({error.reason}); set encoding"
        ) from None
    csv.field_size_limit(sys.maxsize)  # the default refuses texts of more than 131,072 characters
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter, strict=True)
    rows, line = [], 1
    try:
        for row in reader:
            if row:
                rows.append((line, row))
            line = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"{shown}: line {line}: {error}; is a quotation mark missing?") from None
    return rows


def _column(name: str, header: list[str], shown: str) -> int:
    if header.count(name) != 1:
        problem = "stands twice in" if name in header else "is not in"
        raise ValueError(f"{shown}: the column {name!r} {problem} the header; {nearest(name, header)}")
    return header.index(name)
