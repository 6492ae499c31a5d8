"""What is deployed of a classifier: raw input in, class probabilities out."""

from typing import Any

import torch
from torch import Tensor, nn

from pipeline.core.storage import Meta
from pipeline.exporting.programs import Programs
from pipeline.exporting.reading import reader
from pipeline.exporting.texts import ReadTexts, ReadTokens
from pipeline.network.inputs import reading


def programs(model: Any, meta: Meta) -> Programs:
    """The programs around the trained ``model``."""
    read = reading(meta)

    def expect(stored: Tensor) -> Tensor:
        return model(read(stored)).softmax(1)

    if meta.spec.modality == "text":
        texts, tokens = TextProgram(model, meta), TokenProgram(model, meta)
        return Programs(texts, tokens, expect, methods=lambda call: {"encode": call.ts})
    if hasattr(model, "features"):
        program = FeatureProgram(model, meta)
        return Programs(program, program, expect, methods=lambda call: {"features": call.ts})
    return Programs(plain := Program(model, meta), plain, expect)


class Classifier(nn.Module):
    """What all programs of classifiers share.

    Attributes:
        classes: the name of each column of the answer; the TorchScript file carries it too.
    """

    def __init__(self, model: Any, meta: Meta) -> None:
        super().__init__()
        self.classes = list(meta.classes)
        self.model = model

    def answer(self, outputs: Tensor) -> Tensor:
        """From the network's logits to probabilities, both (N, num_classes)."""
        return outputs.softmax(1)


class Program(Classifier):
    """(N, C, H, W) uint8 images of any size, or (N, F) float32 rows -> (N, num_classes) float32 probabilities.

    Attributes:
        shape: of one example as the network reads it: (C, height, width) or (F,); the TorchScript file carries it too.
    """

    def __init__(self, model: Any, meta: Meta) -> None:
        super().__init__(model, meta)
        self.shape = list(meta.spec.shape)
        self.read = reader(meta)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.answer(self.model(self.read(inputs)))


class FeatureProgram(Program):
    """The same for a network with ``features``, which the TorchScript offers as well."""

    @torch.jit.export
    def features(self, inputs: Tensor) -> Tensor:
        """What the network's last layer reads: inputs as for the answer -> float32 (N, num_features)."""
        return self.model.features(self.read(inputs))


class TextProgram(Classifier):
    """N raw texts -> (N, num_classes) float32 probabilities."""

    def __init__(self, model: Any, meta: Meta) -> None:
        super().__init__(model, meta)
        self.read = ReadTexts(meta)

    def forward(self, texts: list[str]) -> Tensor:
        return self.answer(self.model(self.read(texts)[0]))

    @torch.jit.export
    def encode(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """Token ids, int64 (N, L), and lengths, int64 (N,): what ``model.pt2`` reads."""
        return self.read(texts)


class TokenProgram(Classifier):
    """Token ids, int64 (N, L), and lengths, int64 (N,) -> (N, num_classes) float32 probabilities."""

    def __init__(self, model: Any, meta: Meta) -> None:
        super().__init__(model, meta)
        self.read = ReadTokens()

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        return self.answer(self.model(self.read(tokens, lengths)))
