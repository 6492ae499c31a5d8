"""LSTMs that read a text forwards and, if wanted, backwards; their states are pooled over the tokens."""

from typing import Literal

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from pipeline.core.schema import Schema, Share
from pipeline.core.spec import DataSpec
from pipeline.core.tokenizer import PADDING

READS = ("text",)
TASKS = ("classification", "regression")


class Options(Schema):
    """Size of the network.

    Attributes:
        embedding_size: numbers that stand for a token.
        hidden_size: of each direction.
        num_layers: LSTMs on top of one another.
        bidirectional: whether a second one reads each layer's input backwards.
        pooling: from the states of all tokens to one: the largest of each number, their mean, or the last state.
        embedding_dropout: share of the embeddings' numbers that are dropped.
        dropout: share of the numbers that are dropped between layers and before the classes.
    """

    embedding_size: PositiveInt = 100
    hidden_size: PositiveInt = 128
    num_layers: PositiveInt = 1
    bidirectional: bool = True
    pooling: Literal["max", "mean", "last"] = "max"
    embedding_dropout: Share = 0.0
    dropout: Share = 0.5


class Layer(nn.Module):
    """One LSTM, or one for each direction: (N, L, input_size) -> (N, L, output_size), each row its own length.

    Padding stands behind each text, so a text's states never depend on it: it is read last, or, backwards, stays where
    it is while the text before it is reversed.
    """

    def __init__(self, input_size: int, options: Options) -> None:
        super().__init__()
        self.output_size = options.hidden_size * (2 if options.bidirectional else 1)
        self.bidirectional = options.bidirectional
        self.forwards = nn.LSTM(input_size, options.hidden_size, batch_first=True)
        self.backwards = nn.LSTM(input_size, options.hidden_size, batch_first=True) if options.bidirectional else None

    def forward(self, inputs: Tensor, mirrored: Tensor) -> Tensor:
        """``mirrored``: int64 (N, L), the position of each token in the reversed text."""
        states, _ = self.forwards(inputs)
        if self.backwards is None:
            return states
        reversed_states, _ = self.backwards(_reorder(inputs, mirrored))
        return torch.cat([states, _reorder(reversed_states, mirrored)], 2)


class Model(nn.Module):
    """(N, L) int64 token ids -> (N, num_classes) logits."""

    def __init__(self, options: Options, spec: DataSpec) -> None:
        super().__init__()
        self.pooling = options.pooling
        self.hidden_size = options.hidden_size
        self.padding = PADDING  # TorchScript reads attributes, not globals
        self.embedding = nn.Embedding(spec.num_tokens, options.embedding_size, padding_idx=PADDING)
        self.embedding_dropout = nn.Dropout(options.embedding_dropout)
        self.dropout = nn.Dropout(options.dropout)
        size, layers = options.embedding_size, []
        for _ in range(options.num_layers):
            layers.append(Layer(size, options))
            size = layers[-1].output_size
        self.layers = nn.ModuleList(layers)
        self.fc = nn.Linear(size, spec.num_outputs)

    def forward(self, tokens: Tensor) -> Tensor:
        inside = tokens != self.padding  # (N, L)
        lengths = inside.sum(1, keepdim=True)  # (N, 1)
        positions = torch.arange(tokens.shape[1], device=tokens.device)
        mirrored = torch.where(inside, lengths - 1 - positions, positions)
        states = self.embedding_dropout(self.embedding(tokens))
        for number, layer in enumerate(self.layers):
            states = layer(states if number == 0 else self.dropout(states), mirrored)
        return self.fc(self.dropout(self._pool(states, inside, lengths)))

    def _pool(self, states: Tensor, inside: Tensor, lengths: Tensor) -> Tensor:
        if self.pooling == "max":
            return states.masked_fill(~inside[:, :, None], float("-inf")).amax(1)
        if self.pooling == "mean":
            return states.masked_fill(~inside[:, :, None], 0.0).sum(1) / lengths
        # The last state of the backward direction is that of the first token.
        last = _reorder(states, lengths - 1)[:, 0, : self.hidden_size]
        return torch.cat([last, states[:, 0, self.hidden_size :]], 1)


def _reorder(states: Tensor, positions: Tensor) -> Tensor:
    """Of states (N, L, S) those at ``positions`` (N, K) of each text, (N, K, S)."""
    num_texts, length, size = states.shape
    rows = positions + length * torch.arange(num_texts, device=states.device)[:, None]
    # Copies whole rows; gather would take the numbers one by one.
    return states.flatten(0, 1).index_select(0, rows.flatten()).view(num_texts, positions.shape[1], size)
