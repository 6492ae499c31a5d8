import gzip
from hashlib import md5
from pathlib import Path

from pipeline.datasets import mnist


def test_the_second_of_the_known_addresses_is_tried(site, monkeypatch) -> None:
    import torchvision

    Path("raw").mkdir()
    content = gzip.compress(b"digits")
    site.serve("first/train.gz", b"", 403)
    site.serve("second/train.gz", content)
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [f"{site.address}first/", f"{site.address}second/"])
    Path("mnist.md5").write_text(f"{md5(content).hexdigest()}  train.gz\n")  # noqa: S324
    mnist.download(Path("mnist.md5"), Path("raw"))
    assert Path("raw/train.gz").read_bytes() == content
