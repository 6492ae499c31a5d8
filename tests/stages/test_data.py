"""The stages download and preprocess as dvc.yaml calls them, in a repository of their own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.core import storage

ROOT = Path(__file__).parents[2]
PARAMS = """
seed: 42
datasets:
  small: {kind: digits, path: data/digits.md5, image_size: 8}
  texts: {kind: csv, path: mine, text_column: text, label_column: label, test_path: test.csv}
  kept: {kind: csv, path: mine, text_column: text, label_column: label, test_path: test.csv,
         text: {unit: word, max_length: 9, vocabulary_size: 99, drop_shared: false}}
  wrong: {kind: mnist, path: data/absent.md5}
  unknown: {kind: digit, path: data/digits.md5}
"""


def stage(name: str, key: str, folder: Path, largest_file: str = "unlimited") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    script = f'ulimit -f {largest_file}; exec "$0" "$@"'
    command = ["bash", "-c", script, sys.executable, str(ROOT / "stages" / f"{name}.py"), key]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    done.stderr = re.sub(r".*: at work \(.*\n", "", done.stderr)  # which a slow machine says
    return done


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "versions.txt").touch()
    (tmp_path / "data").mkdir()
    (tmp_path / "data/digits.md5").write_bytes((ROOT / "data/digits.md5").read_bytes())
    return tmp_path


def test_raw_files_become_three_splits(repository: Path) -> None:
    download = stage("download", "small", repository)
    assert (download.returncode, download.stderr) == (0, "")
    preprocess = stage("preprocess", "small", repository)
    assert (preprocess.returncode, preprocess.stderr) == (0, "")
    assert preprocess.stdout == "small: 1,293 train, 144 val, 360 test\n"
    assert [file.name for file in (repository / "data/raw").iterdir()] == ["small"]
    meta = storage.read_meta(repository / "data/processed/small")
    assert meta.num_examples("train") == 1293

    full = stage("preprocess", "small", repository, largest_file="10")  # kB: as on a full disk
    assert full.returncode == 1
    assert full.stderr.startswith("error: data/processed/.small.")
    assert "File too large" in full.stderr
    assert len(full.stderr.splitlines()) == 1

    (repository / "data/raw/small/digits.csv").write_text("damaged\n1,2\n")
    damaged = stage("preprocess", "small", repository)
    assert damaged.returncode == 1
    assert damaged.stderr.startswith("error: data/raw/small/digits.csv: ")
    # What was there is still there, and nothing else.
    assert [file.name for file in (repository / "data/processed").iterdir()] == ["small"]
    assert storage.read_meta(repository / "data/processed/small") == meta


def test_texts_in_training_and_test_are_told(repository: Path) -> None:
    (repository / "mine").mkdir()
    rows = "".join(f"text {number},{'ab'[number % 2]}\n" for number in range(40))
    (repository / "mine/train.csv").write_text(f"text,label\n{rows}")
    (repository / "mine/test.csv").write_text("text,label\ntext 0,a\ntext 5,b\nnew,a\n")
    told = {
        "texts": "texts: 34 train, 4 val, 3 test; 2 training examples left out that are test examples too\n",
        "kept": "kept: 36 train, 4 val, 3 test; 2 training examples kept that are test examples too\n",
    }
    for key, expected in told.items():
        for name in ("download", "preprocess"):
            done = stage(name, key, repository)
            assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == expected
    assert storage.read_meta(repository / "data/processed/kept").num_shared == 2


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("wrong", "error: data/absent.md5: No such file or directory; `path` of this data set must name its checksum"),
        ("unknown", "error: datasets.unknown.kind: 'digit' is unknown; did you mean 'digits'?"),
        ("none", "error: datasets.none: the key is missing from params.yaml"),
    ],
)
def test_a_mistake_is_one_line(repository: Path, key: str, message: str) -> None:
    done = stage("download", key, repository)
    assert done.returncode == 1
    assert done.stderr.startswith(message)
    assert len(done.stderr.splitlines()) == 1
    assert not list((repository / "data").glob("raw/*"))
