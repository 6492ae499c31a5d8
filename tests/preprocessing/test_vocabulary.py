from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.spec import DataSpec
from pipeline.core.storage import of_texts
from pipeline.preprocessing.preparing import prepare
from pipeline.preprocessing.vocabulary import learn
from pipeline.source.loaded import Loaded
from pipeline.source.texts import Text

WORDS = Text(unit="word", max_length=10, vocabulary_size=100)
#: Twenty different texts of each of two classes.
LABELS = np.arange(40) % 2


def vocabulary(texts, **changes):
    return learn(texts, WORDS.model_copy(update=changes), "datasets.x.text").vocabulary


def test_the_most_frequent_come_first_and_equally_frequent_ones_by_the_alphabet():
    assert vocabulary(["b c a", "c b", "c d"]) == ("c", "b", "a", "d")


def test_rare_tokens_have_no_id():
    assert vocabulary(["b c a", "c b", "c d"], min_count=2) == ("c", "b")


def test_padding_and_unknown_count_among_the_ids():
    assert vocabulary(["b c a", "c b", "c d"], vocabulary_size=4) == ("c", "b")


def test_a_count_that_no_token_reaches_is_refused():
    with pytest.raises(
        ValueError, match=r"^datasets\.x\.text\.min_count: 9 is more than any word of the training texts"
    ):
        vocabulary(["a b"], min_count=9)


@settings(max_examples=10, deadline=None)  # each time the table of all characters is made
@given(st.lists(st.text("abcdefg ", min_size=1), min_size=1).filter(lambda texts: "".join(texts).strip()), st.randoms())
def test_neither_the_order_of_texts_nor_of_words_counts(texts, draw):
    known = vocabulary(texts)
    counts = Counter(word for text in texts for word in text.split())
    assert known == tuple(sorted(counts, key=lambda word: (-counts[word], word)))
    assert known == vocabulary(draw.sample([" ".join(text.split()[::-1]) for text in texts], len(texts)))


def test_only_the_training_split_is_learnt_from():
    train = [f"train{number} all" for number in range(40)]
    test = of_texts([f"test{number} all" for number in range(4)], [0, 1, 0, 1])
    spec = DataSpec(modality="text", shape=(10,), num_classes=2, num_tokens=100)
    loaded = Loaded(of_texts(train, LABELS.tolist()), test, ("a", "b"), WORDS)
    splits, meta = prepare("datasets.x", loaded, spec, 0.25, seed=1)
    known = set(meta.tokenizer.vocabulary)
    assert known == {word for text in splits["train"].inputs for word in text.split()}
    assert meta.spec.num_tokens == len(known) + 2 == 33
    assert (meta.mean, meta.std, meta.spec.shape) == ((), (), (10,))
