"""Which tokens a network is to know."""

from collections import Counter
from collections.abc import Iterable

from pipeline.core.tokenizer import FIRST, Tokenizer
from pipeline.preprocessing import normalization
from pipeline.source.texts import Text

#: HTML's line break as it is written.
BREAKS = ("<br />", "<br/>", "<br>")


def learn(texts: Iterable[str], options: Text, path: str) -> Tokenizer:
    """The tokeniser with the vocabulary of ``texts``, those of the training split: the most frequent tokens first.

    Args:
        texts: the training texts.
        options: the part ``text`` of the data set's entry.
        path: the key of that part.

    Raises:
        ValueError: no token is frequent enough.
    """
    split_punctuation = options.unit == "word"
    empty = Tokenizer(
        unit=options.unit,
        max_length=options.max_length,
        breaks=BREAKS if options.html_breaks else (),
        replacements=normalization.replacements(options.lowercase, options.strip_accents, split_punctuation),
        marks=normalization.marks(),
        vocabulary=(),
    )
    counts = Counter(token for text in texts for token in empty.split(text))
    # The order of equally frequent tokens must not depend on where they first stand, which the seed decides.
    frequent = sorted((-count, token) for token, count in counts.items() if count >= options.min_count)
    if not frequent:
        raise ValueError(
            f"{path}.min_count: {options.min_count} is more than any {options.unit} of the training texts occurs"
        )
    vocabulary = tuple(token for _, token in frequent[: options.vocabulary_size - FIRST])
    return empty.model_copy(update={"vocabulary": vocabulary})
