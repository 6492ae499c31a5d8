"""Bag of words, or of words and n-grams: one weight for each and each class, the baseline that others must beat.

Source: A. Joulin et al., Bag of Tricks for Efficient Text Classification, EACL 2017, without the hidden layer: n-grams
share a fixed number of weights by hashing.
"""

from typing import Annotated

from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.core.schema import Schema
from pipeline.core.spec import DataSpec
from pipeline.core.tokenizer import PADDING

READS = ("text",)
TASKS = ("classification", "regression")
#: Odd, so that hashes of different tokens spread over all weights (Knuth, The Art of Computer Programming, 6.4).
MULTIPLIER = 2_654_435_761


class Options(Schema):
    """What stands for a text.

    Attributes:
        ngrams: the most neighbouring tokens that have a weight together; 1 is the bag of words.
        num_buckets: how many weights the n-grams of more than one token share.
    """

    ngrams: Annotated[int, Field(ge=1, le=5)] = 1
    num_buckets: PositiveInt = 1 << 20


class Model(nn.Module):
    """(N, L) int64 token ids -> (N, num_classes) logits: the mean of the tokens' and n-grams' weights, and a bias."""

    def __init__(self, options: Options, spec: DataSpec) -> None:
        super().__init__()
        self.padding = PADDING  # TorchScript reads attributes, not globals
        self.multiplier = MULTIPLIER
        self.ngrams, self.num_buckets = options.ngrams, options.num_buckets
        self.num_tokens = spec.num_tokens
        num_weights = spec.num_tokens + (options.num_buckets if options.ngrams > 1 else 0)
        self.weight = nn.Embedding(num_weights, spec.num_outputs, padding_idx=PADDING)
        nn.init.zeros_(self.weight.weight)  # as in logistic regression: no token says anything before training
        self.bias = nn.Parameter(self.weight.weight.new_zeros(spec.num_outputs))

    def forward(self, tokens: Tensor) -> Tensor:
        inside = tokens != self.padding  # (N, L)
        total = self.weight(tokens).sum(1)
        count = inside.sum(1, keepdim=True)
        hashed, earlier = tokens, tokens
        for length in range(1, self.ngrams):
            # The n-gram that ends at each token; none begins before the text.
            earlier = F.pad(earlier, (1, 0))[:, :-1]
            whole = inside & (earlier != self.padding)
            hashed = (hashed * self.multiplier + earlier + length) % self.num_buckets
            ids = (hashed + self.num_tokens).where(whole, self.padding)
            total = total + self.weight(ids).sum(1)
            count = count + whole.sum(1, keepdim=True)
        return total / count + self.bias
