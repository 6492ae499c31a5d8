"""Convolutions over words, the largest answer of each filter, and one linear layer.

Source: Y. Kim, Convolutional Neural Networks for Sentence Classification, EMNLP 2014, the variant CNN-rand.
"""

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from pipeline.core.schema import Schema, Share
from pipeline.core.spec import DataSpec
from pipeline.core.tokenizer import PADDING

READS = ("text",)
TASKS = ("classification", "regression")


class Options(Schema):
    """Size of the network; the defaults are Kim's.

    Attributes:
        embedding_size: numbers that stand for a token.
        num_filters: of each width.
        widths: tokens that a filter sees at once.
        embedding_dropout: share of the embeddings' numbers that are dropped.
        dropout: share of the filters' answers that are dropped.
    """

    embedding_size: PositiveInt = 300
    num_filters: PositiveInt = 100
    widths: tuple[PositiveInt, ...] = Field(default=(3, 4, 5), min_length=1)
    embedding_dropout: Share = 0.0
    dropout: Share = 0.5


class Model(nn.Module):
    """(N, L) int64 token ids -> (N, num_classes) logits."""

    def __init__(self, options: Options, spec: DataSpec) -> None:
        super().__init__()
        self.padding = PADDING  # TorchScript reads attributes, not globals
        self.embedding = nn.Embedding(spec.num_tokens, options.embedding_size, padding_idx=PADDING)
        # Kim's range: with PyTorch's much larger numbers the noise of unlearnt words drowns the rest.
        nn.init.uniform_(self.embedding.weight, -0.25, 0.25)
        nn.init.zeros_(self.embedding.weight[PADDING])
        # A text may be shorter than a filter, so a filter is applied to every token and those before it.
        self.convolutions = nn.ModuleList(
            nn.Conv1d(options.embedding_size, options.num_filters, width, padding=width - 1) for width in options.widths
        )
        self.embedding_dropout = nn.Dropout(options.embedding_dropout)
        self.dropout = nn.Dropout(options.dropout)
        self.fc = nn.Linear(options.num_filters * len(options.widths), spec.num_outputs)

    def forward(self, tokens: Tensor) -> Tensor:
        outside = (tokens == self.padding)[:, None]  # (N, 1, L)
        embedded = self.embedding_dropout(self.embedding(tokens)).transpose(1, 2)  # (N, embedding_size, L)
        answers = [
            convolution(embedded)[:, :, : tokens.shape[1]].masked_fill(outside, float("-inf")).amax(2).relu()
            for convolution in self.convolutions
        ]
        return self.fc(self.dropout(torch.cat(answers, 1)))
