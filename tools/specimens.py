"""Small data of every kind for the tests: what models read, without a file or a download."""

import string
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pipeline.core import rooms
from pipeline.core.spec import DataSpec
from pipeline.core.storage import Meta
from pipeline.preprocessing import vocabulary
from pipeline.source.texts import Text

ALPHABET = string.ascii_lowercase
#: One specification of each modality.
SPECS = {
    "image": DataSpec(modality="image", shape=(3, 14, 16), num_classes=5),
    "table": DataSpec(modality="table", shape=(4,), num_classes=5),
    "text": DataSpec(modality="text", shape=(12,), num_classes=5, num_tokens=2 + len(ALPHABET)),
}


def readers(modality: str) -> list[str]:
    """The models that read such data."""
    return [name for name in rooms.names("models") if modality in rooms.load("models", name, "").READS]


#: Every model with a modality that it reads.
READERS = [(name, modality) for modality in SPECS for name in readers(modality)]


def meta(spec: DataSpec, **changes: Any) -> Meta:
    """A description of such data; a text's tokens are its letters."""
    how: dict[str, Any] = {}
    if spec.modality == "text":
        text = Text(unit="character", max_length=spec.shape[0], vocabulary_size=spec.num_tokens)
        how["tokenizer"] = vocabulary.learn([ALPHABET], text, "text")
    else:
        how |= {"mean": (0.4,) * spec.shape[0], "std": (0.2,) * spec.shape[0]}
        how["scale"] = 255.0 if spec.modality == "image" else 1.0
    classes = tuple(f"class {number}" for number in range(spec.num_classes))
    return Meta(**{"spec": spec, "classes": classes, "counts": {}, **how, **changes})


def stored(spec: DataSpec, num_examples: int, seed: int = 0) -> Tensor:
    """What a task is given of a batch: images, rows, or token ids of full length."""
    generator = torch.Generator().manual_seed(seed)
    size = (num_examples, *spec.shape)
    if spec.modality == "image":
        return torch.randint(0, 256, size, generator=generator).byte()
    if spec.modality == "table":
        return torch.randn(size, generator=generator)
    return torch.randint(2, spec.num_tokens, size, generator=generator)


def network_input(spec: DataSpec, num_examples: int, seed: int = 0) -> Tensor:
    """What a network reads: standardised images or rows, or token ids of full length."""
    inputs = stored(spec, num_examples, seed)
    return (
        inputs if spec.modality == "text" else torch.randn(inputs.shape, generator=torch.Generator().manual_seed(seed))
    )


def texts(num_texts: int, longest: int, seed: int = 0) -> list[str]:
    """Texts of letters, of 1 to ``longest`` characters."""
    draw = np.random.default_rng(seed)
    return ["".join(draw.choice(list(ALPHABET), draw.integers(1, longest + 1))) for _ in range(num_texts)]
