from pathlib import Path

import pytest

from pipeline.source.pictures import scan, unreadable


def make(folder: Path, *files: str) -> Path:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def names(folder: Path) -> dict[str, dict[str, list[str]]]:
    return {
        part: {name: [str(file.relative_to(folder)) for file in files] for name, files in classes.items()}
        for part, classes in scan(folder).items()
    }


def test_class_folders(tmp_path: Path) -> None:
    make(tmp_path, "dog/b.png", "dog/a.png", "dog/more/c.png", "cat/1.jpg", "README")
    assert names(tmp_path) == {"train": {"cat": ["cat/1.jpg"], "dog": ["dog/a.png", "dog/b.png", "dog/more/c.png"]}}


def test_train_and_test(tmp_path: Path) -> None:
    make(tmp_path, "train/a/1", "train/b/2", "test/a/3", "test/b/4")
    assert names(tmp_path) == {
        "train": {"a": ["train/a/1"], "b": ["train/b/2"]},
        "test": {"a": ["test/a/3"], "b": ["test/b/4"]},
    }


def test_hidden_files_are_left_out(tmp_path: Path) -> None:
    make(tmp_path, "a/1", "a/.DS_Store", "a/.cache/2", "b/3", ".git/4")
    assert names(tmp_path) == {"train": {"a": ["a/1"], "b": ["b/3"]}}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "found the class folders none; at least two"),
        (["1.png"], "found the class folders none"),
        (["a/1"], "found the class folders a; at least two"),
        (["a/1", "b/.hidden"], "no files in b; add pictures"),
        (["train/a/1", "train/b/2"], "found the folders train; either class folders"),
        (
            ["train/a/1", "test/a/1", "val/a/1"],
            r"found the folders test, train, val; .*\(validation examples are split",
        ),
        (["train/a/1", "train/b/2", "test/a/3", "test/c/4"], "in train or in test only: b, c; both need"),
        (["train/1.png", "test/2.png"], "train: found the class folders none"),
    ],
)
def test_another_structure_is_described(tmp_path: Path, files: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=rf"^{tmp_path}.*{message}"):
        scan(make(tmp_path, *files))


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="absent: there is no such folder; either class folders"):
        scan(tmp_path / "absent")


def test_twenty_files_are_named() -> None:
    lines = str(unreadable(Path("mine"), {f"a/{number:02}": "broken" for number in range(25)})).splitlines()
    assert lines[0] == "mine: 25 of its files can't be read as pictures; repair or remove them:"
    assert lines[1] == "  a/00: broken"
    assert lines[20:] == ["  a/19: broken", "  and 5 more"]
