"""Prepared data on disk: one memory-mappable file for each split, and a readable ``meta.json``."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.core import scratch
from pipeline.core.files import write_json
from pipeline.core.schema import Schema, parse
from pipeline.core.spec import DataSpec
from pipeline.core.tokenizer import Tokenizer

if TYPE_CHECKING:
    import torch

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Examples:
    """Examples with their targets, in one order.

    Attributes:
        inputs: uint8 (N, C, H, W) images, float32 (N, F) rows of a table, or (N,) texts, objects of type str.
        targets: int64 (N,) class indices, or float32 (N,) real values.
    """

    inputs: np.ndarray
    targets: np.ndarray

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, index: np.ndarray) -> "Examples":
        """The examples at the given positions (n,), in that order."""
        return Examples(scratch.taken(self.inputs, index), scratch.taken(self.targets, index))


def of_texts(texts: Sequence[str], labels: Sequence[int] | np.ndarray) -> Examples:
    """Texts (N,) and their class indices (N,) as examples."""
    inputs = np.empty(len(texts), dtype=object)
    inputs[:] = texts
    return Examples(inputs, np.asarray(labels, dtype=np.int64))


class Meta(Schema):
    """What ``meta.json`` says of a prepared data set.

    Attributes:
        spec: shape and kind of one example.
        classes: the name of each class index; empty where the target is a real number.
        counts: split -> class name -> number of examples (split -> ``all`` -> number for a real target).
        num_shared: how many examples of the official training part have an input of the test part.
        scale: inputs are divided by this before ``mean`` and ``std`` apply (255 for images, 1 for tables).
        mean, std: of the training split after scaling, one for each channel or feature; none for texts.
        tokenizer: how texts became token ids; None for other data.
    """

    spec: DataSpec
    classes: tuple[str, ...]
    counts: dict[str, dict[str, int]]
    num_shared: int = 0
    scale: float = 1.0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    tokenizer: Tokenizer | None = None

    def num_examples(self, split: str) -> int:
        return sum(self.counts[split].values())


def write(folder: Path, splits: dict[str, Examples], meta: Meta) -> None:
    """Write every split and ``meta.json`` into ``folder``, which must exist.

    Texts are written as token ids, int32 ``tokens`` (T,) of all texts one behind the other and int64 ``offsets``
    (N + 1,) of where each begins and ends; those of the test split also as they are, for the proof that the exported
    program reads them as training did.

    Raises:
        OSError: the disk is full or read-only.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    for name, examples in splits.items():
        inputs = _tokens(examples.inputs, meta.tokenizer, name) if meta.tokenizer else {"inputs": examples.inputs}
        tensors = {key: np.ascontiguousarray(values) for key, values in {**inputs, "targets": examples.targets}.items()}
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


def _tokens(texts: np.ndarray, tokenizer: Tokenizer, split: str) -> dict[str, np.ndarray]:
    tokens, offsets = _joined([np.array(tokenizer.encode(text), np.int32) for text in texts])
    arrays = {"tokens": tokens, "offsets": offsets}
    if split == "test":
        characters, text_offsets = _joined([np.frombuffer(text.encode("utf-8"), np.uint8) for text in texts])
        arrays |= {"texts": characters, "text_offsets": text_offsets}
    return arrays


def _joined(sequences: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate(sequences), np.cumsum([0, *map(len, sequences)], dtype=np.int64)


def read(folder: Path, split: str) -> "dict[str, torch.Tensor]":
    """Memory-map one split as :func:`write` wrote it, onto the CPU.

    Returns:
        ``targets`` (N,) and either ``inputs`` (N, *shape) or, of texts, ``tokens`` and ``offsets``; as in
        :class:`Examples`.

    Raises:
        ValueError: the file is missing or damaged.
    """
    from safetensors import SafetensorError

    file = folder / f"{split}.safetensors"
    try:
        return load(file)
    except (FileNotFoundError, SafetensorError) as error:
        raise ValueError(f"{file}: {error}; run `dvc repro preprocess@{folder.name}`") from None


def examples(tensors: "dict[str, torch.Tensor]") -> Examples:
    """The examples of the test split that :func:`read` returned: images, rows or texts (N,), not their token ids."""
    targets = tensors["targets"].numpy()
    if "inputs" in tensors:
        return Examples(tensors["inputs"].numpy(), targets)
    characters, offsets = tensors["texts"].numpy().tobytes(), tensors["text_offsets"].tolist()
    return of_texts([characters[begin:end].decode("utf-8") for begin, end in pairwise(offsets)], targets)


def load(file: Path) -> "dict[str, torch.Tensor]":
    """Memory-map the tensors, of any shape, in a safetensors file, onto the CPU.

    Raises:
        SafetensorError: it is damaged.
        FileNotFoundError: it is missing.
    """
    from safetensors.torch import load_file

    with file.open("rb"):  # pipeline.watching.drift watches what Python opens, and safetensors opens it by itself
        return load_file(file)
