import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.core import rooms
from pipeline.core.schema import parse
from pipeline.datasets import cifar10, folder, mnist

KINDS = rooms.names("datasets")
#: What a kind can't do without, besides its path.
NEEDED = {
    "folder": {"image_size": 24},
    "csv": {"text_column": "text", "label_column": "label", "test_fraction": 0.2},
}


def test_options_are_read_without_heavy_imports() -> None:
    lines = [
        "import sys",
        f"from pipeline.datasets import {', '.join(KINDS)}",
        "assert not {'torch', 'torchvision', 'sklearn', 'PIL', 'safetensors', 'faker'} & sys.modules.keys()",
    ]
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True, env={"PYTHONPATH": "src"})


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_the_same_parts(kind: str) -> None:
    module = rooms.load("datasets", kind, "datasets.x.kind")
    entry = {"kind": kind, "path": f"data/{kind}.md5"} | NEEDED.get(kind, {})
    options = parse(module.Options, entry, "datasets.x")
    assert 0 < options.val_fraction < 1
    assert module.spec(options).modality in ("image", "table", "text")
    with pytest.raises(ValueError, match=r"^datasets\.x\.kind: 'other' is not allowed"):
        parse(module.Options, entry | {"kind": "other"}, "datasets.x")
    with pytest.raises(ValueError, match=r"^datasets\.x\.val_fraction: 1\.0 is not allowed"):
        parse(module.Options, entry | {"val_fraction": 1.0}, "datasets.x")


@pytest.mark.parametrize("file", ["params.yaml", *map(str, sorted(Path("examples").glob("*.yaml")))])
def test_what_a_shipped_data_set_depends_on_is_there(file: str) -> None:
    entries = YAML(typ="safe").load(Path(file))["datasets"].values()
    assert [entry["path"] for entry in entries if not Path(entry["path"]).is_file()] == []


def test_image_size_is_in_the_spec() -> None:
    assert mnist.spec(mnist.Options(kind="mnist", path="", image_size=14)).shape == (1, 14, 14)
    assert cifar10.spec(cifar10.Options(kind="cifar10", path="")).shape == (3, 32, 32)
    assert folder.spec(folder.Options(kind="folder", path="", image_size=24, channels=1)).shape == (1, 24, 24)
