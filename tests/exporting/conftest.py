import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import specimens

import pipeline

HERE = Path(__file__).parent


@dataclass
class Process:
    """A process of its own: its folder, where its copy of our code lies, and its environment."""

    folder: Path
    environment: dict[str, str]

    def start(self):
        source = self.folder / "src"
        source.mkdir(parents=True)
        (source / "pipeline").symlink_to(Path(pipeline.__file__).parent)
        (source / "specimens.py").symlink_to(specimens.__file__)
        return subprocess.Popen(
            [sys.executable, "-W", "error", HERE / "build.py", "made"],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(source), **self.environment},
        )


@pytest.fixture(scope="session")
def exports(tmp_path_factory):
    """Two folders with ``model.ts`` and ``model.pt2`` in each ``<model>_<modality>``, from unlike environments."""
    root = tmp_path_factory.mktemp("exports")
    processes = [
        Process(root / "a", {"PYTHONHASHSEED": "0", "TZ": "UTC"}),
        Process(root / "deeper" / "é b", {"PYTHONHASHSEED": "77", "TZ": "Asia/Tokyo", "HOME": str(root)}),
    ]
    for started in [process.start() for process in processes]:
        assert started.wait(timeout=300) == 0
    return [process.folder / "made" for process in processes]
