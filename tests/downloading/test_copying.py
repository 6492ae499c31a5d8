import os
from pathlib import Path

import pytest

from pipeline.downloading.copying import copy
from pipeline.source.pictures import scan


def test_a_snapshot_holds_the_pictures_and_nothing_else(tmp_path: Path) -> None:
    mine, raw = tmp_path / "mine", tmp_path / "raw"
    for name in ("a/1.png", "a/.hidden", "b/sub/2.png", "notes.txt"):
        (mine / name).parent.mkdir(parents=True, exist_ok=True)
        (mine / name).write_text(name)
    copy(scan(mine), mine, raw)
    found = {str(file.relative_to(raw)): file.read_text() for file in raw.rglob("*") if file.is_file()}
    assert found == {"a/1.png": "a/1.png", "b/sub/2.png": "b/sub/2.png"}


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    for name in ("a", "b"):
        (mine / name).mkdir(parents=True)
    (mine / "a/good").touch()
    (mine / "a/link").symlink_to("nowhere")
    os.mkfifo(mine / "b/pipe")
    with pytest.raises(ValueError, match=r"mine: 2 of its files .*\n  a/link: not a file.*\n  b/pipe: not a file"):
        copy(scan(mine), mine, tmp_path / "raw")
