import numpy as np
import pytest

from pipeline.core import scratch, storage
from pipeline.core.spec import DataSpec
from pipeline.core.storage import Examples, Meta
from pipeline.preprocessing import equality, splitting
from pipeline.preprocessing.preparing import prepare
from pipeline.source import texts
from pipeline.source.loaded import Loaded
from pipeline.source.texts import Text

SPEC = DataSpec(modality="image", shape=(1, 4, 4), num_classes=2)


def images(num: int, seed: int) -> Examples:
    return Examples(np.random.default_rng(seed).integers(0, 256, (num, 1, 4, 4), np.uint8), np.arange(num) % 3)


def test_an_official_test_part_stays_whole_and_apart(tmp_path) -> None:
    train, test = images(100, 0), images(20, 1)
    train.inputs[:4] = test.inputs[0]
    splits, meta = prepare("datasets.x", Loaded(train, test, ("a", "b", "c")), SPEC, 0.25, 7)
    assert {name: len(examples) for name, examples in splits.items()} == {"train": 72, "val": 24, "test": 20}
    assert splits["test"] is test
    assert meta.spec.num_classes == 3  # what was found counts, not what was expected
    assert meta.num_shared == 4
    assert meta.counts["test"] == {"a": 7, "b": 7, "c": 6}
    assert meta.num_examples("train") == 72
    assert meta.mean == pytest.approx([(splits["train"].inputs / 255).mean()])

    storage.write(tmp_path, splits, meta)
    val = storage.examples(storage.read(tmp_path, "val"))
    assert (val.inputs == splits["val"].inputs).all()
    assert (val.targets == splits["val"].targets).all()
    assert storage.read_meta(tmp_path) == meta


def test_fractions_are_taken_one_after_the_other() -> None:
    splits, _ = prepare("datasets.x", Loaded(images(300, 0), 0.2, ("a", "b", "c")), SPEC, 0.25, 7)
    assert {name: len(examples) for name, examples in splits.items()} == {"train": 180, "val": 60, "test": 60}


def test_many_examples_are_prepared_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    train, test = images(400, 0), images(80, 1)
    train.inputs[:8] = test.inputs[0]
    train.inputs[100:120] = train.inputs[100]

    def prepared() -> tuple[dict[str, Examples], Meta]:
        return prepare("datasets.x", Loaded(train, test, ("a", "b", "c")), SPEC, 0.25, 7)

    splits, meta = prepared()
    for module, name, value in ((equality, "PART", 50), (splitting, "MAX_AT_ONCE", 50), (scratch, "CHUNK", 99)):
        monkeypatch.setattr(module, name, value)
    others, other_meta = prepared()
    assert other_meta.num_shared == meta.num_shared == 8
    for found in (splits, others):
        sets = [{row.tobytes() for row in examples.inputs} for examples in found.values()]
        assert sum(map(len, sets)) == len(set.union(*sets)) == 400 - 8 - 19 + 80
    for split in ("train", "val"):
        assert len(others[split]) == pytest.approx(len(splits[split]), abs=20)  # the equal ones are in one of them
    mean = (others["train"].inputs / 255).mean()
    assert other_meta.mean == pytest.approx([mean])


def test_a_table_with_a_real_target() -> None:
    rows = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    spec = DataSpec(modality="table", shape=(2,), num_classes=0)
    splits, meta = prepare("datasets.x", Loaded(Examples(rows, rows[:, 0]), 0.2, ()), spec, 0.25, 7)
    assert meta.counts == {"train": {"all": 30}, "val": {"all": 10}, "test": {"all": 10}}
    assert meta.scale == 1
    assert meta.std == pytest.approx(splits["train"].inputs.std(axis=0))


def test_the_same_seed_gives_the_same_bytes(tmp_path) -> None:
    def written(seed: int, name: str) -> dict[str, bytes]:
        folder = tmp_path / name
        folder.mkdir()
        storage.write(folder, *prepare("datasets.x", Loaded(images(99, 0), 0.2, ("a", "b", "c")), SPEC, 0.25, seed))
        return {file.name: file.read_bytes() for file in folder.iterdir()}

    first = written(1, "first")
    assert first == written(1, "again")
    assert first["val.safetensors"] != written(2, "other")["val.safetensors"]


@pytest.mark.parametrize("drop_shared", [True, False])
def test_training_texts_that_are_test_texts_too_are_counted_and_left_out_or_kept(drop_shared) -> None:
    train = storage.of_texts([f"word{number}" for number in range(40)], [number % 2 for number in range(40)])
    test = storage.of_texts(["word0", "word0", "word3", "other"], [0, 1, 0, 1])
    text = Text(unit="word", max_length=5, vocabulary_size=99, drop_shared=drop_shared)
    splits, meta = prepare("datasets.x", Loaded(train, test, ("a", "b"), text), texts.spec(text, 2), 0.25, 7)
    assert meta.num_shared == 2
    assert len(splits["train"]) + len(splits["val"]) == (38 if drop_shared else 40)
    assert splits["test"] is test
    found = {*splits["train"].inputs, *splits["val"].inputs} & set(test.inputs)
    assert found == (set() if drop_shared else {"word0", "word3"})
