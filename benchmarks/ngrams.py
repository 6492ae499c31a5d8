"""What a logistic regression on n-grams makes of a prepared data set of texts: the figure that networks must beat.

    dvc repro preprocess@surnames
    python benchmarks/ngrams.py surnames

It reads the same tokens and splits as the networks. Length and strength of regularisation are chosen on the validation
split, once for n-grams of the whole text and once for n-grams within words whose ends are marked.
"""

import argparse
from itertools import pairwise, product
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from pipeline.core import storage
from pipeline.core.tokenizer import FIRST

#: scikit-learn's names: n-grams of the whole text, and within words, whose ends then count as characters.
ANALYZERS = ("char", "char_wb")
LONGEST, STRENGTHS = (3, 4, 5), (1.0, 10.0, 30.0, 100.0)
LINE = "n-grams to {1}, C={2:g}: val {0:.4f}, test {3:.4f}"


def read(data: Path, split: str) -> tuple[list[str], list[int]]:
    """The texts of a split, put together again from their tokens, and their labels."""
    meta, tensors = storage.read_meta(data), storage.read(data, split)
    assert meta.tokenizer is not None
    joint = "" if meta.tokenizer.unit == "character" else " "
    names = [""] * FIRST + list(meta.tokenizer.vocabulary)
    tokens = tensors["tokens"].tolist()
    texts = [joint.join(names[token] for token in tokens[a:b]) for a, b in pairwise(tensors["offsets"].tolist())]
    return texts, tensors["targets"].tolist()


def main(dataset: str) -> None:
    """Print the accuracy of each setting, and which is best on validation."""
    data = Path("data/processed") / dataset
    train, val, test = (read(data, split) for split in ("train", "val", "test"))
    for analyzer in ANALYZERS:
        found = []
        for longest, strength in product(LONGEST, STRENGTHS):
            model = make_pipeline(
                TfidfVectorizer(analyzer=analyzer, ngram_range=(1, longest), lowercase=False, sublinear_tf=True),
                LogisticRegression(C=strength, max_iter=1000),
            )
            model.fit(*train)
            found.append((model.score(*val), longest, strength, model.score(*test)))
            print(f"{analyzer}, " + LINE.format(*found[-1]), flush=True)
        print(f"{analyzer}, best on validation: " + LINE.format(*max(found)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    main(parser.parse_args().dataset)
