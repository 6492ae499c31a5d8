import os
import signal
import subprocess
import sys

import pytest

from pipeline.core import files


def test_a_file_is_replaced_only_by_what_was_written_whole(tmp_path):
    target = tmp_path / "folder" / "a.txt"
    files.write_text(target, "old\n")
    with pytest.raises(RuntimeError), files.replacing(target) as beside:
        beside.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old\n"
    assert [file.name for file in target.parent.iterdir()] == ["a.txt"]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    target = tmp_path / "data"
    for name in ("first", "second"):
        with files.replacing(target) as beside:
            (beside / "sub").mkdir(parents=True)
            (beside / "sub" / name).write_text(name)
    assert [path.name for path in (target / "sub").iterdir()] == ["second"]
    assert [file.name for file in tmp_path.iterdir()] == ["data"]


def test_a_process_killed_while_writing_leaves_the_old_file(tmp_path):
    target = tmp_path / "a.txt"
    files.write_text(target, "old\n")
    code = (
        "import os, signal, sys; from pathlib import Path; from pipeline.core.files import replacing\n"
        "with replacing(Path(sys.argv[1])) as beside:\n"
        "    beside.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(target)], env={**os.environ, "PYTHONPATH": "src"})
    assert killed.returncode == -signal.SIGKILL
    assert target.read_text() == "old\n"
    files.write_text(target, "new\n")  # and cleans up behind the killed one
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_json_is_readable_and_refuses_what_json_has_not(tmp_path):
    files.write_json(tmp_path / "a.json", {"z": 1, "a": "é"})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "z": 1,\n  "a": "é"\n}\n'
    with pytest.raises(ValueError):
        files.write_json(tmp_path / "a.json", {"a": float("nan")})


def test_md5_is_that_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"hello")
    assert files.md5(tmp_path / "a") == "5d41402abc4b2a76b9719d911017c592"
