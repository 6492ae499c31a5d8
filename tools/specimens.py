"""Small data of every kind for the tests: what models read, without a file or a download."""

import string
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.core import rooms
from pipeline.core.spec import DataSpec
from pipeline.core.storage import Examples, Meta, of_texts
from pipeline.core.tokenizer import PADDING, Tokenizer
from pipeline.network import building
from pipeline.preprocessing import vocabulary
from pipeline.source.texts import Text

ALPHABET = string.ascii_lowercase
#: One specification of each modality.
SPECS = {
    "image": DataSpec(modality="image", shape=(3, 14, 16), num_classes=5),
    "table": DataSpec(modality="table", shape=(4,), num_classes=5),
    "text": DataSpec(modality="text", shape=(12,), num_classes=5, num_tokens=2 + len(ALPHABET)),
}


def readers(modality: str, task: str = "classification") -> list[str]:
    """The models that read such data and learn such a task."""
    modules = {name: rooms.load("models", name, "") for name in rooms.names("models")}
    return [name for name, module in modules.items() if modality in module.READS and task in module.TASKS]


#: Every model that tells classes apart, with a modality that it reads.
READERS = [(name, modality) for modality in SPECS for name in readers(modality)]
#: Every model that makes images, with its task.
GENERATORS = [(name, task) for task in ("vae", "gan") for name in readers("image", task)]
#: What such models are given: sides that can be halved twice.
PICTURES = DataSpec(modality="image", shape=(3, 12, 16), num_classes=5)


def meta(spec: DataSpec, **changes: Any) -> Meta:
    """A description of such data; a text's tokens are its letters."""
    how: dict[str, Any] = {}
    if spec.modality == "text":
        how["tokenizer"] = tokenizer("character", spec.shape[0], spec.num_tokens)
    else:
        how |= {"mean": (0.4,) * spec.shape[0], "std": (0.2,) * spec.shape[0]}
        how["scale"] = 255.0 if spec.modality == "image" else 1.0
    classes = tuple(f"class {number}" for number in range(spec.num_classes))
    return Meta(**{"spec": spec, "classes": classes, "counts": {}, **how, **changes})


def tokenizer(unit: str, max_length: int = 12, vocabulary_size: int = 100, **options: Any) -> Tokenizer:
    """A tokeniser that knows the letters."""
    text = Text(unit=unit, max_length=max_length, vocabulary_size=vocabulary_size, **options)  # type: ignore[arg-type]
    return vocabulary.learn([" ".join(ALPHABET)] if unit == "word" else [ALPHABET], text, "text")


def network(name: str, spec: DataSpec, **options: Any) -> nn.Module:
    """The model ``name`` as after a training, which leaves no weight at 0 but those of padding."""
    torch.manual_seed(0)
    built, _ = building.build({"name": name, **options}, spec, "model")
    for module in built.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None and module.running_var is not None
            module.running_mean.uniform_(-1, 1)
            module.running_var.uniform_(0.5, 2)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight)
            nn.init.zeros_(module.weight[PADDING])
    return built.eval()


def examples(spec: DataSpec, num_examples: int, seed: int = 0) -> Examples:
    """Examples of all classes in turn, as a data set's ``load`` returns them; texts are up to twice the longest."""
    targets = np.arange(num_examples) % max(spec.num_classes, 2)
    if spec.modality == "text":
        return of_texts(texts(num_examples, 2 * spec.shape[0], seed), targets.tolist())
    return Examples(
        stored(spec, num_examples, seed).numpy(), targets if spec.num_classes else targets.astype("float32")
    )


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
    if spec.modality == "text":
        return stored(spec, num_examples, seed)
    return torch.randn(num_examples, *spec.shape, generator=torch.Generator().manual_seed(seed))


def texts(num_texts: int, longest: int, seed: int = 0) -> list[str]:
    """Texts of letters, of 1 to ``longest`` characters."""
    draw = np.random.default_rng(seed)
    return ["".join(draw.choice(list(ALPHABET), draw.integers(1, longest + 1))) for _ in range(num_texts)]
