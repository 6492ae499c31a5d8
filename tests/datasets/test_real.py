"""The public data sets themselves, from a local copy of their files."""

import dataclasses
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.core import rooms
from pipeline.preprocessing import statistics
from pipeline.preprocessing.equality import digests
from pipeline.preprocessing.preparing import prepare
from pipeline.source.loaded import Loaded

MIRROR = os.environ.get("PIPELINE_DATA_MIRROR")
# kind -> mean and standard deviation of all training pixels, as published
KNOWN = {
    "mnist": ([0.1307], [0.3081]),
    "fashion_mnist": ([0.2860], [0.3530]),
    "cifar10": ([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]),
}

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not MIRROR, reason="PIPELINE_DATA_MIRROR isn't set"),
]


def load(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any, Loaded]:
    """The data set's module, its options, and what it loads."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))  # its own download cache
    raw = tmp_path / kind
    raw.mkdir()
    dataset = rooms.load("datasets", kind, "")
    options = dataset.Options(kind=kind, path=f"data/{kind}.md5")
    dataset.download(Path(options.path), raw)
    return dataset, options, dataset.load(raw, options)


@pytest.mark.parametrize("kind", KNOWN)
def test_real_images(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = time.perf_counter()
    dataset, options, loaded = load(kind, tmp_path, monkeypatch)
    splits, _ = prepare("datasets.x", loaded, dataset.spec(options), options.val_fraction, seed=42)
    assert time.perf_counter() - started < 30

    mean, std = statistics.of_images(loaded.train.inputs)
    assert mean == pytest.approx(KNOWN[kind][0], abs=5e-5)
    assert std == pytest.approx(KNOWN[kind][1], abs=5e-5)
    # None of the three contains the same image twice.
    train, test = (set(digests(examples.inputs).tolist()) for examples in (loaded.train, loaded.test))
    assert len(train | test) == len(loaded.train) + len(loaded.test)
    assert sum(map(len, splits.values())) == len(loaded.train) + len(loaded.test)
    for examples in splits.values():
        assert set(examples.targets.tolist()) == set(range(10))


def test_real_reviews(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, options, loaded = load("imdb", tmp_path, monkeypatch)
    for part in (loaded.train, loaded.test):
        assert np.bincount(part.targets).tolist() == [12_500, 12_500]
    spec = dataset.spec(options)
    splits, meta = prepare("datasets.x", loaded, spec, 0.1, seed=42)
    assert (meta.num_shared, sum(map(len, splits.values()))) == (123, 50_000 - 123)
    assert meta.spec.num_tokens == 30_000 and {"the", "!", "don"} <= set(meta.tokenizer.vocabulary[:200])
    assert not {"br", "<"} & set(meta.tokenizer.vocabulary[:200])
    train, val = (set(digests(splits[split].inputs).tolist()) for split in ("train", "val"))
    assert not train & val

    kept = dataclasses.replace(loaded, text=loaded.text.model_copy(update={"drop_shared": False}))
    splits, meta = prepare("datasets.x", kept, spec, 0.1, seed=42)
    assert (meta.num_shared, sum(map(len, splits.values()))) == (123, 50_000)
