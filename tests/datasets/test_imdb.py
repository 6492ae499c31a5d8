import io
import os
import tarfile
from hashlib import md5
from pathlib import Path

import pytest

from pipeline.datasets import imdb
from pipeline.downloading import imdb as downloading
from pipeline.downloading.fetching import MIRROR

OPTIONS = imdb.Options(kind="imdb", path="imdb.md5")
#: Two reviews of each part and class: number 10 comes behind number 9.
REVIEWS = {
    f"aclImdb/{part}/{label}/{number}_{stars}.txt": f'{part} {label} {number}<br />é, "quoted"\nline'
    for part in ("train", "test")
    for label, stars in (("neg", 2), ("pos", 9))
    for number in (10, 9)
}
OTHERS = {"aclImdb/README": "read me", "aclImdb/train/unsup/0_0.txt": "no label", "aclImdb/train/urls_neg.txt": "urls"}


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    """A folder deep inside the test's own, so that whatever escapes would be seen."""
    (tmp_path / "a/b/raw").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a/b")
    monkeypatch.setattr(downloading, "NUM_REVIEWS", 2)
    monkeypatch.delenv(MIRROR, raising=False)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "a/b"))


def folder(files, monkeypatch, name="mirror"):
    """A mirror with an unpacked archive."""
    for file, text in files.items():
        (Path(name) / file).parent.mkdir(parents=True, exist_ok=True)
        (Path(name) / file).write_text(text, encoding="utf-8", newline="")
    monkeypatch.setenv(MIRROR, name)


def archive(files, monkeypatch, members=()):
    """A mirror with an archive of these files and other ``members``, and its checksum file."""
    Path("packed").mkdir()
    with tarfile.open("packed/aclImdb_v1.tar.gz", "w:gz") as tar:
        for file, text in files.items():
            member = tarfile.TarInfo(file)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
        for member in members:
            tar.addfile(member)
    digest = md5(Path("packed/aclImdb_v1.tar.gz").read_bytes()).hexdigest()  # noqa: S324
    Path("imdb.md5").write_text(f"{digest}  aclImdb_v1.tar.gz\n")
    monkeypatch.setenv(MIRROR, "packed")


def downloaded():
    imdb.download(Path("imdb.md5"), Path("raw"))
    return {file.name: file.read_bytes() for file in Path("raw").iterdir()}


def test_folder_and_archive_give_the_same_bytes_in_whatever_order(monkeypatch):
    folder(REVIEWS | OTHERS, monkeypatch)
    from_folder = downloaded()
    archive(OTHERS | dict(reversed(REVIEWS.items())), monkeypatch)
    assert downloaded() == from_folder
    assert sorted(from_folder) == ["test.csv", "train.csv"]


def test_what_was_written_is_loaded_by_class_and_number(monkeypatch):
    folder(REVIEWS, monkeypatch)
    downloaded()
    found = imdb.load(Path("raw"), OPTIONS)
    assert found.train.inputs.tolist() == [
        f'train {label} {number}<br />é, "quoted"\nline' for label in ("neg", "pos") for number in (9, 10)
    ]
    assert found.test.targets.tolist() == [0, 0, 1, 1]
    assert found.classes == ("neg", "pos") and found.text.html_breaks


def test_members_with_evil_names_are_written_nowhere(monkeypatch, tmp_path):
    evil = ["../../x", f"{tmp_path}/absolute", "aclImdb/../../../x", "aclImdb/train/neg/../../../../y_1.txt"]
    links = []
    for kind, target in ((tarfile.SYMTYPE, "/etc/passwd"), (tarfile.LNKTYPE, "../../x"), (tarfile.SYMTYPE, "../../..")):
        links.append(tarfile.TarInfo(f"aclImdb/train/neg/{len(links) + 11}_1.txt"))
        links[-1].type, links[-1].linkname = kind, target
    archive(REVIEWS | dict.fromkeys(evil, "evil"), monkeypatch, links)
    before = set(tmp_path.rglob("*"))
    assert sorted(downloaded()) == ["test.csv", "train.csv"]
    new = {str(file.relative_to(tmp_path / "a/b")) for file in set(tmp_path.rglob("*")) - before if file.is_file()}
    assert new == {
        "raw/test.csv",
        "raw/train.csv",
        *(name for name in new if name.startswith(".pipeline/downloads/imdb/")),
    }
    assert not any("evil" in content.decode() for content in downloaded().values())


@pytest.mark.parametrize("source", [folder, archive])
@pytest.mark.parametrize("change", ["missing", "too many"])
def test_wrong_numbers_are_refused_and_nothing_is_written(monkeypatch, source, change):
    files = dict(REVIEWS)
    if change == "missing":
        del files["aclImdb/test/pos/9_9.txt"]
    else:
        files["aclImdb/test/pos/11_9.txt"] = "one more"
    source(files, monkeypatch)
    number = {"missing": 1, "too many": 3}[change]
    with pytest.raises(ValueError, match=rf"{number} reviews in aclImdb/test/pos instead of 2; put the missing ones"):
        downloaded()
    assert not list(Path("raw").glob("*.csv"))


def test_another_archive_is_refused(monkeypatch):
    archive(REVIEWS, monkeypatch)
    Path("imdb.md5").write_text("0" * 32 + "  aclImdb_v1.tar.gz\n")
    with pytest.raises(ValueError, match=r"aclImdb_v1\.tar\.gz \([\d,]+ bytes\) has md5 \w+, not 0{32}"):
        downloaded()
    assert os.listdir("raw") == []  # noqa: PTH208


def test_a_review_in_another_encoding_is_named(monkeypatch):
    folder(REVIEWS, monkeypatch)
    Path("mirror/aclImdb/train/neg/9_2.txt").write_bytes(b"caf\xe9")
    with pytest.raises(ValueError, match=r"mirror/aclImdb: aclImdb/train/neg/9_2\.txt: .*put the original file there"):
        downloaded()


def test_damage_names_the_file_and_the_way_back(monkeypatch):
    folder(REVIEWS, monkeypatch)
    downloaded()
    Path("raw/test.csv").write_text("label,text\nneg\n")
    with pytest.raises(ValueError, match=r"(?s)^raw/test\.csv: .*line 2: .*run `dvc repro download@raw`"):
        imdb.load(Path("raw"), OPTIONS)
