"""What data sets of texts have in common: the part ``text`` of their entry."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.core.schema import Schema
from pipeline.core.spec import DataSpec
from pipeline.core.tokenizer import FIRST


class Text(Schema):
    """How texts become token ids; see :class:`pipeline.core.tokenizer.Tokenizer`.

    Attributes:
        unit: whether a token is a character or a word.
        max_length: the most tokens of a text; of a longer one the first and the last halves are kept.
        vocabulary_size: how many ids there are at most, padding and unknown included; the most frequent tokens of the
            training split get one.
        min_count: how often a token stands in the training split at least to get an id.
        lowercase: whether letters lose their case.
        strip_accents: whether letters lose their accents.
        html_breaks: whether HTML's line breaks are spaces.
        drop_shared: whether training texts that are test texts too are left out; they are counted in any case.
    """

    unit: Literal["character", "word"]
    max_length: Annotated[int, Field(ge=1, le=100_000)]
    vocabulary_size: Annotated[int, Field(gt=FIRST, le=10_000_000)]
    min_count: Annotated[int, Field(ge=1)] = 1
    lowercase: bool = True
    strip_accents: bool = False
    html_breaks: bool = False
    drop_shared: bool = True


def spec(text: Text, num_classes: int) -> DataSpec:
    """The shape of texts under these options; the number of tokens is the largest that the options allow."""
    return DataSpec(modality="text", shape=(text.max_length,), num_classes=num_classes, num_tokens=text.vocabulary_size)
