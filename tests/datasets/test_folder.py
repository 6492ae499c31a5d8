from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.datasets import folder
from pipeline.datasets.folder import Options

DIVIDED = ["train/cat", "train/dog", "test/cat", "test/dog"]


def snapshot(tmp_path: Path, class_folders: list[str]) -> Path:
    for index, name in enumerate(class_folders):
        (tmp_path / "mine" / name).mkdir(parents=True)
        Image.new("RGB", (20, 30), (index, 0, 0)).save(tmp_path / "mine" / name / "1.png")
    raw = tmp_path / "pets"
    raw.mkdir()
    folder.download(tmp_path / "mine", raw)
    return raw


def options(**more: object) -> Options:
    return Options(kind="folder", path="mine", image_size=16, **more)  # type: ignore[arg-type]


def test_all_together(tmp_path: Path) -> None:
    loaded = folder.load(snapshot(tmp_path, ["dog", "cat"]), options(test_fraction=0.3))
    assert (loaded.train.inputs.shape, loaded.train.inputs.dtype) == ((2, 3, 16, 16), np.uint8)
    assert loaded.classes == ("cat", "dog")
    assert loaded.train.inputs[:, 0, 0, 0].tolist() == [1, 0]
    assert loaded.train.targets.tolist() == [0, 1]
    assert loaded.test == 0.3


def test_train_and_test(tmp_path: Path) -> None:
    loaded = folder.load(snapshot(tmp_path, DIVIDED), options(channels=1))
    assert loaded.train.inputs.shape == (2, 1, 16, 16)
    assert loaded.test.targets.tolist() == [0, 1]


def test_exactly_one_of_test_folder_and_test_fraction(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^datasets\.pets\.test_fraction: 0\.3 is not allowed; mine has its own test"):
        folder.load(snapshot(tmp_path / "a", DIVIDED), options(test_fraction=0.3))
    with pytest.raises(ValueError, match=r"^datasets\.pets\.test_fraction: the key is missing; mine has no folders"):
        folder.load(snapshot(tmp_path / "b", ["cat", "dog"]), options())


def test_a_broken_picture_is_named_in_the_users_folder(tmp_path: Path) -> None:
    raw = snapshot(tmp_path, ["cat", "dog"])
    (raw / "dog/1.png").write_text("broken")
    with pytest.raises(ValueError, match=r"^mine: 1 of its files can't be read as pictures.*\n  dog/1\.png: not a"):
        folder.load(raw, options(test_fraction=0.3))
