"""A user's own pictures: one folder for each class, either within ``train`` and ``test`` or all together.

Any size and format that Pillow reads. Hidden files and folders are left out.
"""

from pathlib import Path
from typing import Literal

from pipeline.core.schema import Schema
from pipeline.core.spec import DataSpec
from pipeline.source.loaded import Fraction, ImageSize, Loaded


class Options(Schema):
    """The whole entry under ``datasets``.

    Attributes:
        path: the folder, relative to the repository.
        image_size: side in pixels to which images are resized, whatever their proportions.
        channels: 3 for colour, 1 for grey.
        test_fraction: of all examples; given if, and only if, the folder has no ``train`` and ``test``.
        val_fraction: of the examples that aren't test examples.
    """

    kind: Literal["folder"]
    path: str
    image_size: ImageSize
    channels: Literal[1, 3] = 3
    test_fraction: Fraction | None = None
    val_fraction: Fraction = 0.1


def spec(options: Options) -> DataSpec:
    """Images of two classes: the true number is known once the folder is read, and stands in ``meta.json``."""
    return DataSpec(modality="image", shape=(options.channels, options.image_size, options.image_size), num_classes=2)


def download(path: Path, raw: Path) -> None:
    """Copy the pictures into ``raw``, with the folders they are in.

    Raises:
        ValueError: ``path`` isn't such a folder, or files in it can't be read.
    """
    from pipeline.downloading.copying import copy
    from pipeline.source.pictures import scan

    copy(scan(path), path, raw)


def load(raw: Path, options: Options) -> Loaded:
    """Read what :func:`download` copied; the classes are the names of the folders in alphabetical order.

    Raises:
        ValueError: ``test_fraction`` and the folder's parts contradict each other, or files can't be read.
    """
    from pipeline.preprocessing.decoding import decode
    from pipeline.source.pictures import scan

    parts = scan(raw)
    if ("test" in parts) != (options.test_fraction is None):
        key = f"datasets.{raw.name}.test_fraction"
        if "test" in parts:
            raise ValueError(f"{key}: {options.test_fraction} is not allowed; {options.path} has its own test folder")
        raise ValueError(
            f"{key}: the key is missing; {options.path} has no folders train and test, so say how much "
            f"to split off for testing, such as 0.2"
        )
    examples = decode(parts, raw, options.image_size, options.channels, Path(options.path))
    test = examples["test"] if options.test_fraction is None else options.test_fraction
    return Loaded(examples["train"], test, tuple(parts["train"]))
