"""A small transformer encoder over a text, its outputs averaged over the tokens.

Source: A. Vaswani et al., Attention Is All You Need, 2017, with the normalisation before each part (R. Xiong et al.,
On Layer Normalization in the Transformer Architecture, 2020), which needs no warm-up to train.
"""

import math
from typing import Self

import torch
from pydantic import PositiveInt, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.core.schema import Schema, Share
from pipeline.core.spec import DataSpec
from pipeline.core.tokenizer import PADDING

READS = ("text",)
TASKS = ("classification", "regression")


class Options(Schema):
    """Size of the network.

    Attributes:
        hidden_size: numbers that stand for a token, in all layers.
        num_heads: of the attention; they share ``hidden_size``.
        num_layers: encoder layers on top of one another.
        feedforward_size: between the two linear maps of a layer.
        dropout: share of the numbers that are dropped after the embedding and each part of a layer.
    """

    hidden_size: PositiveInt = 64
    num_heads: PositiveInt = 4
    num_layers: PositiveInt = 2
    feedforward_size: PositiveInt = 256
    dropout: Share = 0.1

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if self.hidden_size % (2 * self.num_heads):
            raise ValueError(
                f"hidden_size (={self.hidden_size}) must be a multiple of twice num_heads (={self.num_heads})"
            )
        return self


class Layer(nn.Module):
    """Self-attention and a feedforward part, each added to its input: (N, L, hidden_size) -> the same."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        size = options.hidden_size
        self.num_heads = options.num_heads
        self.attention_norm, self.feedforward_norm = nn.LayerNorm(size), nn.LayerNorm(size)
        self.queries_keys_values = nn.Linear(size, 3 * size)
        self.attention = nn.Linear(size, size)
        self.widen, self.narrow = nn.Linear(size, options.feedforward_size), nn.Linear(options.feedforward_size, size)
        self.dropout = nn.Dropout(options.dropout)

    def forward(self, states: Tensor, inside: Tensor) -> Tensor:
        """``inside``: bool (N, 1, 1, L), which tokens may be attended to."""
        states = states + self.dropout(self._attend(self.attention_norm(states), inside))
        return states + self.dropout(self.narrow(self.widen(self.feedforward_norm(states)).relu()))

    def _attend(self, states: Tensor, inside: Tensor) -> Tensor:
        projected = self.queries_keys_values(states).unflatten(2, (3, self.num_heads, -1))  # (N, L, 3, heads, size)
        queries, keys, values = projected.transpose(1, 3).unbind(2)  # (N, heads, L, size) each
        attended = F.scaled_dot_product_attention(queries, keys, values, attn_mask=inside)
        return self.attention(attended.transpose(1, 2).flatten(2))


class Model(nn.Module):
    """(N, L) int64 token ids -> (N, num_classes) logits."""

    def __init__(self, options: Options, spec: DataSpec) -> None:
        super().__init__()
        self.padding = PADDING  # TorchScript reads attributes, not globals
        self.embedding = nn.Embedding(spec.num_tokens, options.hidden_size, padding_idx=PADDING)
        positions = _sinusoids(spec.shape[0], options.hidden_size)
        self.register_buffer("positions", positions, persistent=False)
        self.positions: Tensor
        self.dropout = nn.Dropout(options.dropout)
        self.layers = nn.ModuleList(Layer(options) for _ in range(options.num_layers))
        self.norm = nn.LayerNorm(options.hidden_size)
        self.fc = nn.Linear(options.hidden_size, spec.num_outputs)

    def forward(self, tokens: Tensor) -> Tensor:
        inside = tokens != self.padding  # (N, L)
        states = self.dropout(self.embedding(tokens) + self.positions[: tokens.shape[1]])
        for layer in self.layers:
            states = layer(states, inside[:, None, None])
        states = self.norm(states).masked_fill(~inside[:, :, None], 0.0)
        return self.fc(states.sum(1) / inside.sum(1, keepdim=True))


def _sinusoids(length: int, size: int) -> Tensor:
    """The positions of Vaswani et al., section 3.5: (length, size)."""
    rates = torch.exp(torch.arange(0, size, 2) * (-math.log(10_000) / size))  # (size / 2,)
    angles = torch.arange(length)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], 2).flatten(1)
