"""IMDB, 50,000 film reviews, one half negative and one half positive.

Source: A. Maas et al., Learning Word Vectors for Sentiment Analysis, ACL 2011 (the labelled part of aclImdb v1).
"""

from pathlib import Path
from typing import Literal

from pipeline.core.schema import Schema
from pipeline.core.spec import DataSpec
from pipeline.core.storage import Examples, of_texts
from pipeline.source import texts
from pipeline.source.loaded import Fraction, Loaded
from pipeline.source.texts import Text

CLASSES = ("neg", "pos")


class Options(Schema):
    """The whole entry under ``datasets``.

    Attributes:
        path: the file with the md5 of the archive.
        text: how reviews become token ids.
        val_fraction: of the 25,000 training examples; the 25,000 test examples stay apart.
    """

    kind: Literal["imdb"]
    path: str
    text: Text = Text(unit="word", max_length=400, vocabulary_size=30_000, min_count=2, html_breaks=True)
    val_fraction: Fraction = 0.1


def spec(options: Options) -> DataSpec:
    """Texts of two classes."""
    return texts.spec(options.text, len(CLASSES))


def download(path: Path, raw: Path) -> None:
    """Write ``train.csv`` and ``test.csv`` into ``raw``.

    Raises:
        ValueError: the archive could not be had, isn't that of the checksum file ``path``, or misses reviews.
    """
    from pipeline.downloading import imdb

    imdb.download(path, raw)


def load(raw: Path, options: Options) -> Loaded:
    """Read what :func:`download` wrote.

    Raises:
        ValueError: a file is missing or damaged.
    """
    return Loaded(_read(raw, "train.csv"), _read(raw, "test.csv"), CLASSES, options.text)


def _read(raw: Path, name: str) -> Examples:
    from pipeline.preprocessing.damage import damaged
    from pipeline.preprocessing.texts import read

    try:
        reviews, labels = read(raw / name, "text", "label")
        return of_texts(reviews, [CLASSES.index(label) for label in labels])
    except (OSError, ValueError) as error:
        raise damaged(raw, name, error) from None
