"""The reviews of IMDB, from the official archive or from a folder that it was unpacked to."""

import os
import re
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.downloading import http, texts
from pipeline.downloading.fetching import MIRROR, fetch

ARCHIVE = "aclImdb_v1.tar.gz"
FOLDER = "aclImdb"
URL = f"https://ai.stanford.edu/~amaas/data/sentiment/{ARCHIVE}"
#: A labelled review: part, class, number.
NAME = re.compile(rf"{FOLDER}/(train|test)/(neg|pos)/(\d+)_\d+\.txt")
PARTS, CLASSES = ("train", "test"), ("neg", "pos")
NUM_REVIEWS = 12_500  # of each part and class


def download(path: Path, raw: Path) -> None:
    """Write ``train.csv`` and ``test.csv`` into ``raw``: label and text of the labelled reviews, by class and number.

    The archive is verified by its md5 in the checksum file ``path``. If PIPELINE_DATA_MIRROR names a folder with
    ``aclImdb/`` and not the archive, that folder is read and verified by its numbers of files.

    Raises:
        ValueError: the reviews could not be had, or aren't all there.
    """
    mirror = os.environ.get(MIRROR)
    if mirror and Path(mirror, FOLDER).is_dir() and not Path(mirror, ARCHIVE).exists():
        _write(_from_folder(Path(mirror)), raw, Path(mirror, FOLDER))
        return
    fetch("imdb", path, raw, "", lambda missing, cache: http.fetch([URL], cache / ARCHIVE, missing[ARCHIVE]))
    _write(_from_archive(raw / ARCHIVE), raw, path)
    (raw / ARCHIVE).unlink()


def _from_folder(mirror: Path) -> Iterator[tuple[str, bytes]]:
    for file in (mirror / FOLDER).glob("*/*/*.txt"):
        yield file.relative_to(mirror).as_posix(), file.read_bytes()


def _from_archive(archive: Path) -> Iterator[tuple[str, bytes]]:
    # Members are read and never unpacked, so whatever their names are, nothing is written elsewhere.
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and (content := tar.extractfile(member)):
                yield member.name, content.read()


def _write(files: Iterable[tuple[str, bytes]], raw: Path, source: Path) -> None:
    reviews: dict[tuple[str, str], dict[int, str]] = {(part, label): {} for part in PARTS for label in CLASSES}
    for name, content in files:
        if match := NAME.fullmatch(name):
            try:
                reviews[match[1], match[2]][int(match[3])] = content.decode("utf-8")
            except UnicodeDecodeError as error:
                raise ValueError(f"{source}: {name}: {error}; put the original file there") from None
    for (part, label), found in reviews.items():
        if len(found) != NUM_REVIEWS:
            raise ValueError(
                f"{source}: {len(found):,} reviews in {FOLDER}/{part}/{label} instead of {NUM_REVIEWS:,}; put the "
                f"missing ones there, or unset {MIRROR} to download them"
            )
    for part in PARTS:
        texts.write(
            raw / f"{part}.csv",
            ((label, text) for label in CLASSES for _, text in sorted(reviews[part, label].items())),
        )
