import io
import tarfile
from hashlib import md5
from pathlib import Path

from pipeline.datasets import cifar10


def test_the_archive_of_cifar10_is_unpacked_and_thrown_away(site, monkeypatch) -> None:
    import torchvision

    Path("raw").mkdir()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name in ("cifar-10-batches-py/readme.html", "cifar-10-batches-py/test_batch"):
            member = tarfile.TarInfo(name)
            member.size = 4
            tar.addfile(member, io.BytesIO(b"text"))
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "url", site.serve("c.tar.gz", packed.getvalue(), "cut", "ranges"))
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "tgz_md5", md5(packed.getvalue()).hexdigest())  # noqa: S324
    Path("cifar10.md5").write_text(f"{md5(b'text').hexdigest()}  cifar-10-batches-py/test_batch\n")  # noqa: S324
    cifar10.download(Path("cifar10.md5"), Path("raw"))
    assert [file.name for file in Path("raw").rglob("*")] == ["cifar-10-batches-py", "test_batch"]
    assert [file.name for file in Path(".pipeline").rglob("*") if file.is_file()] == [".lock", "test_batch"]
