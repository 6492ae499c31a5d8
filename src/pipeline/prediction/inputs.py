"""From what the user names to examples, one after the other; what can't be read is told and doesn't stop the others."""

import csv
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
from PIL import UnidentifiedImageError

from pipeline.preprocessing.decoding import picture

#: Standard input.
STDIN = "-"
#: Examples that are in memory at a time.
BATCH = 100
#: The largest float32.
LARGEST = float(np.finfo(np.float32).max)
#: Modality -> the names that are read, and what else they have to be.
SUFFIXES = {"table": (".csv", "tables are .csv files"), "text": (".txt", "texts are .txt files, one text a line")}

T = TypeVar("T")


@dataclass(frozen=True)
class Input:
    """One example, or why there is none.

    Attributes:
        file: its name, within the folder that the user named.
        line: where it ends in the file, from 1; None if it is the whole file.
        example: an image, uint8 (C, height, width), a row, float32 (F,), or a text; None if there is a problem.
        problem: what is wrong.
    """

    file: str
    line: int | None
    example: Any
    problem: str | None = None

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return self.file if self.line is None else f"{self.file}:{self.line}"


def read(modality: str, shape: tuple[int, ...], names: Sequence[str]) -> Iterator[Input]:
    """The examples in files and folders.

    Args:
        modality: ``image``: files in any format that Pillow reads, and folders with them, in the order of their names,
            hidden ones left out. ``table``: CSV files with a header line. ``text``: files with one text a line, blank
            ones left out. :data:`STDIN` stands for such a table or such texts.
        shape: of one example, (C, height, width) or (F,).
        names: of the files and folders.

    Raises:
        ValueError: a name stands for something else than such a model reads.
    """
    if modality == "image":
        return _pictures(names, *shape)
    suffix, wanted = SUFFIXES[modality]
    for name in names:
        if name != STDIN and Path(name).suffix.lower() != suffix:
            raise ValueError(f"{name}: this model's {wanted}, or {STDIN} for standard input")
    return _lines(names, partial(_rows, num_features=shape[0]) if modality == "table" else _texts)


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of so many items, the last perhaps of fewer."""
    items = iter(items)
    while batch := list(islice(items, size)):
        yield batch


def _pictures(names: Iterable[str], channels: int, height: int, width: int) -> Iterator[Input]:
    if height != width:
        raise ValueError(f"this model reads images of {height} x {width} pixels, and files are decoded to squares only")
    files = (file for name in names for file in _below(Path(name)))
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # Pillow decodes outside Python's lock
        for batch in batched(files, BATCH):
            yield from pool.map(partial(_picture, size=height, channels=channels), batch)


def _below(path: Path) -> Iterator[Path]:
    """``path``, or the files below it if it is a folder that can be read; a link to a folder isn't followed."""
    try:
        names = sorted(entry.name for entry in path.iterdir())
    except OSError:
        yield path
        return
    for name in names:
        if not name.startswith(".") and not ((path / name).is_symlink() and (path / name).is_dir()):
            yield from _below(path / name)


def _picture(file: Path, size: int, channels: int) -> Input:
    try:
        return Input(str(file), None, picture(file, size, channels))
    except UnidentifiedImageError:
        return Input(str(file), None, None, "not a picture in a known format")
    except Exception as error:  # Pillow's plugins raise anything from SyntaxError to struct.error on broken files
        return Input(str(file), None, None, _said(error))


def _lines(names: Iterable[str], reader: Callable[[str, BinaryIO], Iterator[Input]]) -> Iterator[Input]:
    for name in names:
        try:
            with nullcontext(sys.stdin.buffer) if name == STDIN else Path(name).open("rb") as stream:
                yield from reader(name, stream)
        except OSError as error:
            yield Input(name, None, None, _said(error))


def _texts(name: str, stream: BinaryIO) -> Iterator[Input]:
    for number, line in enumerate(stream, 1):
        try:
            text = _decoded(line, number).rstrip("\r\n")
        except UnicodeDecodeError as error:
            yield Input(name, number, None, str(error))
            continue
        if text.strip():
            yield Input(name, number, text)


def _rows(name: str, stream: BinaryIO, num_features: int) -> Iterator[Input]:
    # What isn't UTF-8 is no number either, and the rows after it are still read.
    lines = (_decoded(line, number, "surrogateescape") for number, line in enumerate(stream, 1))
    rows = csv.reader(lines, strict=True)
    try:
        header = next(rows, [])
        if len(header) != num_features:
            columns = f"{num_features}, the model's features in the order of its training data"
            yield Input(name, 1, None, f"{len(header)} columns instead of {columns}")
        elif all(_number(field) is not None for field in header):
            yield Input(name, 1, None, "these are numbers, and the names of the columns come first")
        else:
            yield from (_row(name, rows.line_num, header, row) for row in rows if row)
    except csv.Error as error:
        yield Input(name, rows.line_num, None, f"{error}; is a quotation mark missing? The rest isn't read")


def _row(name: str, line: int, header: list[str], row: list[str]) -> Input:
    if len(row) != len(header):
        return Input(name, line, None, f"{len(row)} fields instead of {len(header)}")
    numbers = [_number(field) for field in row]
    for column, field, number in zip(header, row, numbers, strict=True):
        if number is None:
            return Input(name, line, None, f"{field!r} in the column {column!r} is not a finite float32 number")
    return Input(name, line, np.array(numbers, np.float32))


def _number(field: str) -> float | None:
    try:
        number = float(field)
    except ValueError:
        return None
    return number if abs(number) <= LARGEST else None  # NaN isn't


def _decoded(line: bytes, number: int, errors: str = "strict") -> str:
    return line.decode("utf-8-sig" if number == 1 else "utf-8", errors)  # a byte order mark is skipped


def _said(error: Exception) -> str:
    # The text of a system's error has the file, which is named already.
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
