"""What a logistic regression on n-grams makes of a prepared data set of texts: the figure that networks must beat.

    dvc repro preprocess@surnames
    python benchmarks/ngrams.py surnames

It reads the same tokens and splits as the networks. Printed is scikit-learn's default strength of regularisation, and
the best on the validation split of several strengths and lengths, each with its test accuracy.
"""

import argparse
from itertools import pairwise
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from pipeline.core import storage
from pipeline.core.tokenizer import FIRST

LONGEST, STRENGTHS = (3, 4, 5), (1.0, 10.0, 30.0, 100.0)


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
    """Print the validation and test accuracy of each setting, and which is best on validation."""
    data = Path("data/processed") / dataset
    train, val, test = (read(data, split) for split in ("train", "val", "test"))
    found = []
    for longest in LONGEST:
        for strength in STRENGTHS:
            model = make_pipeline(
                # Within words, whose ends count as characters.
                TfidfVectorizer(analyzer="char_wb", ngram_range=(1, longest), lowercase=False, sublinear_tf=True),
                LogisticRegression(C=strength, max_iter=1000),
            )
            model.fit(*train)
            found.append((model.score(*val), longest, strength, model.score(*test)))
            print("n-grams to {1}, C={2:g}: val {0:.4f}, test {3:.4f}".format(*found[-1]))
    default = max(row for row in found if row[2] == 1.0)
    print("best with C=1: n-grams to {1}, val {0:.4f}, test {3:.4f}".format(*default))
    print("best of all on validation: n-grams to {1}, C={2:g}, val {0:.4f}, test {3:.4f}".format(*max(found)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    main(parser.parse_args().dataset)
