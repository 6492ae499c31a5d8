import io
import tarfile
from pathlib import Path

from pipeline.downloading.archive import unpack


def test_only_what_is_asked_for_is_written(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        for name in ("../escaped", "/tmp/escaped", "sub/wanted", "sub/other"):  # noqa: S108
            member = tarfile.TarInfo(name)
            member.size = 4
            tar.addfile(member, io.BytesIO(b"text"))
    folder = tmp_path / "folder"
    unpack(tmp_path / "a.tar.gz", {"sub/wanted"}, folder)
    assert [file.relative_to(tmp_path) for file in tmp_path.rglob("*") if file.is_file()] == [
        Path("a.tar.gz"),
        Path("folder/sub/wanted"),
    ]
    assert (folder / "sub/wanted").read_bytes() == b"text"
