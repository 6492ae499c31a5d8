"""Data that can't be had or read."""

import hashlib
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

from pipeline.core import storage
from pipeline.core.files import md5
from pipeline.datasets import csv, folder, mnist
from pipeline.downloading import http
from pipeline.downloading.fetching import MIRROR
from pipeline.preprocessing.preparing import prepare

FILES = [f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]
CSV = {"kind": "csv", "path": "../texts.csv", "text_column": "text", "label_column": "team", "test_fraction": 0.2}


def refused(call: Callable[..., object], *arguments: object) -> str:
    """What a stage prints of the error that a call raises."""
    with pytest.raises(ValueError) as error:
        call(*arguments)
    return f"error: {error.value}"


def bash(command: str) -> str:
    return subprocess.run(["bash", "-ec", command], capture_output=True, text=True, check=True).stdout


def apply(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a command of the shell set or unset the mirror."""
    if value := bash(f'{command}; printf %s "${{{MIRROR}-}}"'):
        monkeypatch.setenv(MIRROR, value)
    else:
        monkeypatch.delenv(MIRROR)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository in a folder of its own, with an empty raw folder."""
    root = tmp_path / "repository"
    (root / "raw").mkdir(parents=True)
    monkeypatch.chdir(root)
    monkeypatch.delenv(MIRROR, raising=False)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    return root


@pytest.fixture
def numbers(place: Path) -> dict[str, bytes]:
    """The contents of MNIST's files, which are small here, by their names; ``mnist.md5`` has their checksums."""
    contents = {name: name.encode() for name in FILES}
    sums = [f"{hashlib.md5(text, usedforsecurity=False).hexdigest()}  {name}\n" for name, text in contents.items()]
    Path("mnist.md5").write_text("".join(sums), encoding="utf-8")
    return contents


@pytest.fixture
def mirrored(numbers: dict[str, bytes]) -> Path:
    """The folder ``MNIST/raw`` with these files."""
    there = Path("MNIST/raw")
    there.mkdir(parents=True)
    for name, content in numbers.items():
        (there / name).write_bytes(content)
    return there


def download() -> None:
    mnist.download(Path("mnist.md5"), Path("raw"))


def assert_downloaded() -> None:
    download()
    assert sorted(file.name for file in Path("raw").iterdir()) == sorted(FILES)


@pytest.fixture
def sites(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Choose where MNIST is looked for."""
    from torchvision import datasets

    monkeypatch.setattr(http, "FIRST_PAUSE", 0.0)
    return lambda address: monkeypatch.setattr(datasets.MNIST, "mirrors", [address])


@pytest.fixture
def site(numbers: dict[str, bytes]) -> Iterator[ThreadingHTTPServer]:
    """A web server with MNIST's files, unless its ``refuses`` is set."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if server.refuses:  # type: ignore[attr-defined]
                self.send_error(403)
                return
            content = numbers[self.path.lstrip("/")]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.refuses = True  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield server
        server.shutdown()


def test_no_network(row, mirrored, sites, monkeypatch):
    sites("http://127.0.0.1:9/")

    assert row.is_in(refused(download))
    assert str(mirrored) == row.helps[0]
    apply(row.helps[1], monkeypatch)
    assert_downloaded()


def test_a_server_that_refuses(row, mirrored, site, sites, monkeypatch):
    sites(f"http://127.0.0.1:{site.server_port}/")

    assert row.is_in(refused(download))
    apply(row.helps[0], monkeypatch)
    assert_downloaded()


def test_a_damaged_file_in_the_mirror(row, mirrored, site, sites, monkeypatch):
    site.refuses = False
    sites(f"http://127.0.0.1:{site.server_port}/")
    (mirrored / FILES[0]).write_bytes(b"half of i")
    monkeypatch.setenv(MIRROR, ".")

    assert row.is_in(refused(download))
    apply(row.helps[0], monkeypatch)
    assert_downloaded()
    assert md5(Path("raw", FILES[0])) == md5(Path(f".pipeline/downloads/mnist/{FILES[0]}"))


@pytest.mark.slow
def test_a_path_to_own_data_that_is_not_there(row, project, shell):
    make_pictures(project.root.parent / "pictures")
    project.replace("params.yaml", "datasets:\n", "datasets:\n  own: {kind: folder, path: ../picture, image_size: 8}\n")

    assert row.is_in(shell.fails("make repro"))
    project.replace("params.yaml", "path: ../picture,", f"{row.helps[0]},")
    shell.works("python -m pipeline.checking --machine")


def make_pictures(there: Path) -> None:
    for number, name in enumerate(["birds", "dogs"] * 5):
        file = there / name / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8), 20 * number, np.uint8)).save(file)


def test_a_class_folder_without_pictures(row):
    make_pictures(Path("../pictures"))
    Path("../pictures/cats").mkdir()

    assert row.is_in(refused(folder.download, Path("../pictures"), Path("raw")))
    bash(row.helps[0])
    folder.download(Path("../pictures"), Path("raw"))


def test_a_file_that_is_no_picture(row):
    make_pictures(Path("../pictures"))
    Path("../pictures/dogs/notes.txt").write_text("Rex, Bella", encoding="utf-8")
    options = folder.Options(kind="folder", path="../pictures", image_size=8, test_fraction=0.2)
    folder.download(Path("../pictures"), Path("raw"))

    assert row.is_in(refused(folder.load, Path("raw"), options))
    bash(row.helps[0])
    shutil.rmtree("raw")  # as DVC does before the stage
    folder.download(Path("../pictures"), Path("raw"))
    assert len(folder.load(Path("raw"), options)) == 10


def test_few_pictures_or_few_of_a_class(row):
    make_pictures(Path("../pictures"))
    folder.download(Path("../pictures"), Path("raw"))
    own = {"kind": "folder", "path": "../pictures", "image_size": 8, "test_fraction": 0.2}

    def split(options: folder.Options) -> dict[str, storage.Examples]:
        loaded = folder.load(Path("raw"), options)
        return prepare("datasets.own", loaded, folder.spec(options), options.val_fraction, seed=1)[0]

    assert row.is_in(refused(split, folder.Options(**own)))
    splits = split(folder.Options(**own, **YAML(typ="safe").load(row.helps[0])))
    assert sum(len(examples) for examples in splits.values()) == 10


def write_texts(header: str, encoding: str) -> None:
    lines = [f"Müller {number},{'ab'[number % 2]}\n" for number in range(10)]
    Path("raw/texts.csv").write_text("".join([header, *lines]), encoding=encoding)


def test_a_csv_file_in_another_encoding(row):
    write_texts("text,team\n", "cp1252")

    assert row.is_in(refused(csv.load, Path("raw"), csv.Options(**CSV)))
    helped = csv.Options(**CSV, **YAML(typ="safe").load(row.helps[0]))
    assert len(csv.load(Path("raw"), helped)) == 10


def test_a_column_that_is_not_in_the_csv_file(row):
    write_texts("message,team\n", "utf-8")

    assert row.is_in(refused(csv.load, Path("raw"), csv.Options(**CSV)))
    helped = csv.Options(**{**CSV, **YAML(typ="safe").load(row.helps[0])})
    assert len(csv.load(Path("raw"), helped)) == 10
