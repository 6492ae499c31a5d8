"""Prepared data on disk: one memory-mappable file for each split, and a readable ``meta.json``."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.core.files import write_json
from pipeline.core.schema import Schema, parse
from pipeline.core.spec import DataSpec

if TYPE_CHECKING:
    import torch

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Examples:
    """Examples with their targets, in one order.

    Attributes:
        inputs: uint8 (N, C, H, W) images, or float32 (N, F) rows of a table.
        targets: int64 (N,) class indices, or float32 (N,) real values.
    """

    inputs: np.ndarray
    targets: np.ndarray

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, index: np.ndarray) -> "Examples":
        """The examples at the given positions, in that order."""
        return Examples(self.inputs[index], self.targets[index])


class Meta(Schema):
    """What ``meta.json`` says of a prepared data set.

    Attributes:
        spec: shape and kind of one example.
        classes: the name of each class index; empty where the target is a real number.
        counts: split -> class name -> number of examples (split -> ``all`` -> number for a real target).
        scale: inputs are divided by this before ``mean`` and ``std`` apply (255 for images, 1 for tables).
        mean, std: of the training split after scaling, one for each channel or feature.
    """

    spec: DataSpec
    classes: tuple[str, ...]
    counts: dict[str, dict[str, int]]
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def num_examples(self, split: str) -> int:
        return sum(self.counts[split].values())


def write(folder: Path, splits: dict[str, Examples], meta: Meta) -> None:
    """Write every split and ``meta.json`` into ``folder``, which must exist.

    Raises:
        OSError: the disk is full or read-only.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    for name, examples in splits.items():
        tensors = {"inputs": np.ascontiguousarray(examples.inputs), "targets": np.ascontiguousarray(examples.targets)}
        try:
            save_file(tensors, folder / f"{name}.safetensors")
        except SafetensorError as error:  # it hides the system's error
            raise OSError(f"{folder / name}.safetensors: {error}") from None
    write_json(folder / "meta.json", meta.model_dump(mode="json"))


def read_meta(folder: Path) -> Meta:
    """Read ``meta.json`` of a prepared data set.

    Raises:
        ValueError: the file is missing or damaged.
    """
    file = folder / "meta.json"
    try:
        return parse(Meta, json.loads(file.read_text(encoding="utf-8")), str(file))
    except (FileNotFoundError, json.JSONDecodeError) as error:
        raise ValueError(f"{file}: {error}; run `dvc repro preprocess@{folder.name}`") from None


def read(folder: Path, split: str) -> "tuple[torch.Tensor, torch.Tensor]":
    """Memory-map one split: inputs and targets as in :class:`Examples`, on the CPU.

    Raises:
        ValueError: the file is missing or damaged.
    """
    from safetensors import SafetensorError

    file = folder / f"{split}.safetensors"
    try:
        tensors = load(file)
    except (FileNotFoundError, SafetensorError) as error:
        raise ValueError(f"{file}: {error}; run `dvc repro preprocess@{folder.name}`") from None
    return tensors["inputs"], tensors["targets"]


def load(file: Path) -> "dict[str, torch.Tensor]":
    """Memory-map a safetensors file, onto the CPU.

    Raises:
        SafetensorError: it is damaged.
        FileNotFoundError: it is missing.
    """
    from safetensors.torch import load_file

    with file.open("rb"):  # pipeline.watching.drift watches what Python opens, and safetensors opens it by itself
        return load_file(file)
