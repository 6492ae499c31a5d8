import numpy as np
import pytest
import torch
from specimens import SPECS, examples, meta

from pipeline.core import storage
from pipeline.core.storage import of_texts


@pytest.mark.parametrize("modality", SPECS)
def test_what_was_written_is_read(tmp_path, modality):
    written = examples(SPECS[modality], 7)
    storage.write(tmp_path, {"test": written}, meta(SPECS[modality]))
    tensors = storage.read(tmp_path, "test")
    read = storage.examples(tensors)
    assert (read.inputs == written.inputs).all() and read.inputs.dtype == written.inputs.dtype
    assert (read.targets == written.targets).all() and read.targets.dtype == written.targets.dtype
    assert storage.read_meta(tmp_path) == meta(SPECS[modality])


def test_texts_are_stored_as_token_ids_and_those_of_the_test_also_as_they_are(tmp_path):
    texts = ["", "é 日本語 😀\0\n", "abcdefghijklmnopqrstuvwxyz", "abc", "abc"]
    described = meta(SPECS["text"])
    storage.write(tmp_path, dict.fromkeys(("train", "test"), of_texts(texts, [0, 1, 2, 3, 4])), described)
    train, test = storage.read(tmp_path, "train"), storage.read(tmp_path, "test")
    assert sorted(train) == ["offsets", "targets", "tokens"]
    assert (train["tokens"].dtype, train["offsets"].dtype) == (torch.int32, torch.int64)
    rows = [row.tolist() for row in train["tokens"].tensor_split(train["offsets"][1:-1])]
    assert rows == [described.tokenizer.encode(text) for text in texts]
    assert all(torch.equal(train[name], test[name]) for name in train)
    assert storage.examples(test).inputs.tolist() == texts


def test_the_same_texts_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        storage.write(tmp_path / name, {"test": examples(SPECS["text"], 7)}, meta(SPECS["text"]))
    for file in ("test.safetensors", "meta.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@pytest.mark.parametrize("content", [None, b"damaged"])
def test_what_cannot_be_read_names_the_stage_to_run(tmp_path, content):
    folder = tmp_path / "names"
    folder.mkdir()
    for file in ("val.safetensors", "meta.json"):
        if content:
            (folder / file).write_bytes(content)
    for read in (lambda: storage.read(folder, "val"), lambda: storage.read_meta(folder)):
        with pytest.raises(ValueError, match=r"names/(val\.safetensors|meta\.json): .*`dvc repro preprocess@names`"):
            read()


def test_examples_are_taken_in_the_order_asked_for():
    taken = examples(SPECS["text"], 7).take(np.array([5, 0]))
    assert taken.inputs.tolist() == [examples(SPECS["text"], 7).inputs[position] for position in (5, 0)]
