"""Fetch a data set that comes as four files in the IDX format: MNIST and those that imitate it."""

from pathlib import Path

from pipeline.downloading import http
from pipeline.downloading.fetching import fetch


def download(kind: str, name: str, path: Path, raw: Path) -> None:
    """Put the files of torchvision's data set ``name`` into ``raw``.

    Args:
        kind: the file name under ``datasets/``.
        name: ``MNIST`` or ``FashionMNIST``; a mirror has the files under ``<name>/raw``.
        path: the checksum file.
        raw: an existing empty folder.

    Raises:
        ValueError: a file could not be had.
    """

    def from_network(missing: dict[str, str], cache: Path) -> None:
        from torchvision import datasets

        for file, md5 in missing.items():
            http.fetch([site + file for site in getattr(datasets, name).mirrors], cache / file, md5)

    fetch(kind, path, raw, f"{name}/raw", from_network)
