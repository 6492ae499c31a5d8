from pathlib import Path

import pytest

from pipeline.downloading import checksums

EMPTY = "d41d8cd98f00b204e9800998ecf8427e"


def test_the_format_is_that_of_md5sum(tmp_path: Path) -> None:
    file = tmp_path / "a.md5"
    file.write_text(f"{EMPTY}  text file\n{EMPTY} *folder/binary\n")
    assert checksums.read(file) == {"text file": EMPTY, "folder/binary": EMPTY}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a\.md5: No such file.*must name its checksum file"):
        checksums.read(tmp_path / "a.md5")


@pytest.mark.parametrize("text", ["", "abc  file\n", f"{EMPTY}  a\nnonsense\n"])
def test_other_formats_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.md5").write_text(text)
    with pytest.raises(ValueError, match="is not a line of md5sum; `git checkout"):
        checksums.read(tmp_path / "a.md5")


@pytest.mark.parametrize("name", ["../../escape", "a/../../escape", "/etc/passwd"])
def test_names_outside_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.md5").write_text(f"{EMPTY}  fine..name\n{EMPTY}  {name}\n")
    with pytest.raises(ValueError, match=rf"a\.md5: line 2: '{name}' must be relative"):
        checksums.read(tmp_path / "a.md5")


def test_every_fault_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.md5").write_text(f"{EMPTY}  good\n{EMPTY}  bad\n{EMPTY}  absent\n")
    (tmp_path / "good").touch()
    (tmp_path / "bad").write_text("1")
    with pytest.raises(ValueError, match=r"bad \(1 bytes\) has md5 \w+, not \w+; .*absent is missing; try again$"):
        checksums.verify(tmp_path, tmp_path / "a.md5", "try again")
