"""A user's own texts: CSV files with a header line, one column with texts and one with labels."""

import codecs
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from pipeline.core.schema import Schema
from pipeline.core.spec import DataSpec
from pipeline.core.storage import Examples, of_texts
from pipeline.source import texts
from pipeline.source.loaded import Fraction, Loaded
from pipeline.source.texts import Text


class Options(Schema):
    """The whole entry under ``datasets``.

    Attributes:
        path: a CSV file, or the folder with all of them, relative to the repository. DVC watches this one path.
        text_column, label_column: as they stand in the header line.
        test_path: the file in the folder ``path`` with the test examples; all others are for training.
        test_fraction: of all examples; exactly one of ``test_path`` and ``test_fraction`` is given.
        encoding: of all files.
        delimiter: between fields.
        text: how texts become token ids.
        val_fraction: of the examples that aren't test examples.
    """

    kind: Literal["csv"]
    path: str
    text_column: str
    label_column: str
    test_path: str | None = None
    test_fraction: Fraction | None = None
    encoding: str = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    text: Text = Text(unit="word", max_length=256, vocabulary_size=20_000)
    val_fraction: Fraction = 0.1

    @field_validator("encoding")
    @classmethod
    def _check_encoding(cls, encoding: str) -> str:
        try:
            codecs.lookup(encoding)
        except LookupError:
            raise ValueError("Python knows no such encoding; utf-8, utf-16, cp1252 and latin-1 are usual") from None
        return encoding

    @model_validator(mode="after")
    def _check_test(self) -> Self:
        if (self.test_path is None) == (self.test_fraction is None):
            raise ValueError("give either test_path, a file with the test examples, or test_fraction, such as 0.2")
        if self.test_path is not None and self.test_path != Path(self.test_path).name:
            raise ValueError(f"test_path (={self.test_path}) must be the name of a file in the folder that path names")
        return self


def spec(options: Options) -> DataSpec:
    """Texts of two classes: the true number is known once the files are read, and stands in ``meta.json``."""
    return texts.spec(options.text, num_classes=2)


def download(path: Path, raw: Path) -> None:
    """Copy the file ``path``, or the files in the folder ``path`` but for hidden ones, into ``raw``.

    Raises:
        ValueError: ``path`` isn't there, or a file can't be read.
    """
    from pipeline.downloading.copying import copy_files

    copy_files(path, raw)


def load(raw: Path, options: Options) -> Loaded:
    """Read what :func:`download` copied; the classes are the labels in alphabetical order.

    Raises:
        ValueError: ``test_path`` isn't there, or files can't be read; the message gives the lines.
    """
    from pipeline.preprocessing.texts import read

    files = {file.name: file for file in sorted(raw.iterdir())}
    path, test_path = Path(options.path), options.test_path
    if test_path is not None and (test_path not in files or len(files) == 1):
        raise ValueError(
            f"datasets.{raw.name}.test_path: {test_path!r} must be one of several files in the folder that path names, "
            f"and {path} has {', '.join(files)}"
        )
    rows = {
        name: read(
            file,
            options.text_column,
            options.label_column,
            options.encoding,
            options.delimiter,
            shown=str(path if path.name == name else path / name),
        )
        for name, file in files.items()
    }
    classes = tuple(sorted({label for _, labels in rows.values() for label in labels}))
    if len(classes) < 2:
        raise ValueError(f"{path}: every label is {classes[0]!r}; at least two are needed")
    if test_path is None:
        assert options.test_fraction is not None  # or the options would have been refused
        return Loaded(_examples(list(rows.values()), classes), options.test_fraction, classes, options.text)
    test = _examples([rows.pop(test_path)], classes)
    return Loaded(_examples(list(rows.values()), classes), test, classes, options.text)


def _examples(files: list[tuple[list[str], list[str]]], classes: tuple[str, ...]) -> Examples:
    return of_texts(
        [text for found, _ in files for text in found],
        [classes.index(label) for _, labels in files for label in labels],
    )
