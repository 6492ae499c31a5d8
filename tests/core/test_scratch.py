import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pipeline
from pipeline.core import scratch

LARGE = (scratch.SMALL // 8 + 7, 2)


@pytest.mark.parametrize("shape", [(), (0, 3), (5, 2), LARGE])
def test_arrays_are_zeros_that_can_be_changed(shape: tuple[int, ...]) -> None:
    found = scratch.array(shape, np.int32)
    assert (found.shape, found.dtype, found.any()) == (shape, np.int32, False)
    found[...] = 7
    assert (found == 7).all()


def test_a_large_array_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = scratch.array(LARGE, np.int32)
    found[-1] = 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "darwin", reason="reads /proc")
def test_a_large_array_takes_no_memory_of_the_process(tmp_path: Path) -> None:
    program = """
from pathlib import Path
from pipeline.core import scratch
def anonymous():
    return int(Path("/proc/self/status").read_text().split("RssAnon:")[1].split()[0])
before = anonymous()
found = scratch.array((20 << 20,), "u1")
found[:] = 1
index = scratch.where(found, 1)
other = scratch.taken(found, index)
assert other.sum(dtype="u8") == 20 << 20
print(anonymous() - before)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(pipeline.__file__).parents[1])}
    told = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=tmp_path, env=environment
    ).stdout
    assert int(told) < 45 << 10  # kB; the three arrays are of 200 MiB


@pytest.mark.skipif(sys.platform == "darwin" or os.geteuid() != 0, reason="mounts a file system")
def test_a_full_disk_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", tmp_path], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(OSError, match=f"No space left on device: 4 MiB are needed for a while in {tmp_path}$"):
            scratch.array((4 << 20,), np.uint8)
    finally:
        monkeypatch.undo()
        subprocess.run(["umount", tmp_path], check=True)


def test_slices_are_of_some_bytes_and_everything_is_in_one() -> None:
    values = np.zeros((10, scratch.CHUNK // 2 - 1), np.uint8)
    assert [part.stop - part.start for part in scratch.slices(values)] == [2] * 5
    assert list(scratch.slices(np.zeros((3, scratch.CHUNK * 2), np.uint8))) == [slice(0, 1), slice(1, 2), slice(2, 3)]
    assert [len(values[:0][part]) for part in scratch.slices(values[:0])] == [0]
    assert next(scratch.slices(np.zeros(scratch.CHUNK, np.uint8))) == slice(0, scratch.CHUNK // 8)


def test_positions_and_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "CHUNK", 16)
    values = np.random.default_rng(0).integers(0, 3, 1000, np.uint8)
    index = scratch.where(values, 2)
    assert (index == np.flatnonzero(values == 2)).all()
    rows = np.arange(3000).reshape(1000, 3)
    assert (scratch.taken(rows, index[::-1]) == rows[index[::-1]]).all()
    assert scratch.taken(np.array(["a", "b"], object), np.array([1])).tolist() == ["b"]
