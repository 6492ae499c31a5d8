"""Bag of words: one weight for each token and class, the baseline that every other model of texts must beat."""

from torch import Tensor, nn

from pipeline.core.schema import Schema
from pipeline.core.spec import DataSpec
from pipeline.core.tokenizer import PADDING

READS = ("text",)


class Options(Schema):
    """A bag of words has no options."""


class Model(nn.Module):
    """(N, L) int64 token ids -> (N, num_classes) logits: the mean of the tokens' weights, and a bias."""

    def __init__(self, options: Options, spec: DataSpec) -> None:
        super().__init__()
        self.padding = PADDING  # TorchScript reads attributes, not globals
        self.weight = nn.Embedding(spec.num_tokens, spec.num_outputs, padding_idx=PADDING)
        nn.init.zeros_(self.weight.weight)  # as in logistic regression: no token says anything before training
        self.bias = nn.Parameter(self.weight.weight.new_zeros(spec.num_outputs))

    def forward(self, tokens: Tensor) -> Tensor:
        lengths = (tokens != self.padding).sum(1, keepdim=True)  # (N, 1)
        return self.weight(tokens).sum(1) / lengths + self.bias
