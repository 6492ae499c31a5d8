"""Models in `outputs`, small real TorchScript programs, as if `dvc repro` had made them."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from project import LINEAR
from torch import nn

from pipeline.core import files, params, storage
from pipeline.core.spec import DataSpec
from pipeline.promotion.demote import demote
from pipeline.promotion.promote import promote
from pipeline.tracking.publishing import open_store

SOURCE = Path(__file__).parents[2] / "src"
PARAMS = LINEAR.replace("first:", "lenet:") + (
    "    promote: {metric: accuracy, direction: max, threshold: 0.5, margin: 0.1}\n"
)


class Program(nn.Module):
    """(N, 1, H, W) uint8 -> (N, 10) float32."""

    def __init__(self, bias: float) -> None:
        super().__init__()
        self.bias = bias

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1)[:, :10].to(torch.float32) + self.bias


class Outputs:
    """A workspace with `params.yaml`, prepared digits and one model, which can be replaced by another."""

    def __init__(self, root: Path) -> None:
        self.root, self.folder = root, root / "outputs" / "lenet"
        (root / "params.yaml").write_text(PARAMS, encoding="utf-8")
        inputs = np.arange(20 * 64, dtype=np.uint8).reshape(20, 1, 8, 8)
        test = storage.Examples(inputs, np.arange(20) % 10)
        spec = DataSpec(modality="image", shape=(1, 8, 8), num_classes=10)
        data = root / "data/processed/digits"
        data.mkdir(parents=True)
        classes = tuple(map(str, range(10)))
        counts = dict.fromkeys(storage.SPLITS, dict.fromkeys(classes, 2))
        meta = storage.Meta(spec=spec, classes=classes, counts=counts, scale=1 / 255, mean=(0.0,), std=(1.0,))
        storage.write(data, dict.fromkeys(storage.SPLITS, test), meta)

    def run(self, module: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a module of the pipeline in the workspace."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW", "DVC", "PIPELINE"))}
        env |= {"PYTHONPATH": str(SOURCE), "GIT_CEILING_DIRECTORIES": str(self.root.parent)}
        command = [sys.executable, "-m", f"pipeline.{module}", *arguments]
        return subprocess.run(command, cwd=self.root, env=env, capture_output=True, text=True, timeout=120)

    def promote(self) -> str:
        """What is decided on the model, in this process."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as in `versions`
            return promote(open_store(), "lenet", params.read())

    def demote(self) -> str:
        """Which version is champion now, or that none is."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return demote("lenet")

    def allow_again(self, version: str) -> None:
        """Delete the mark of a demoted version, as a person does in MLflow."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._client().delete_model_version_tag("lenet", version, "pipeline.demoted")

    def _client(self) -> MlflowClient:
        return MlflowClient(f"sqlite:///{self.root}/mlruns/mlflow.db")

    def versions(self) -> list[ModelVersion]:
        """The versions of the registered model `lenet`, oldest first, with their aliases."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow's own, of what it uses of SQLAlchemy and others
            client = self._client()
            found = client.search_model_versions("name = 'lenet'")
            complete = [client.get_model_version("lenet", version.version) for version in found]
        return sorted(complete, key=lambda version: int(version.version))

    def put(self, key: str, accuracy: float, test_md5: str = "3" * 32) -> None:
        """Replace the model by one of another content, ``key``, which was judged as told."""
        (self.folder / "plots").mkdir(parents=True, exist_ok=True)
        (self.folder / "model.safetensors").write_text(key)
        (self.folder / "model.pt2").write_text(key)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch.jit's deprecation, which exporting/torchscript.py is about
            torch.jit.save(torch.jit.script(Program(float(int(key[:4], 16)))), self.folder / "model.ts")
        (self.folder / "plots" / "roc.csv").write_text("x,y\n")
        (self.folder / "history.csv").write_text("epoch,train_loss,val_accuracy\n1,0.5,0.25\n2,0.25,0.5\n")
        model_md5 = files.md5(self.folder / "model.safetensors")
        self._write("metrics.json", {"accuracy": accuracy})
        data = {"data/processed/digits/test.safetensors": test_md5}
        self._write("evaluation.json", {"model_md5": model_md5, "options": {"batch_size": 1000}, "data": data})
        self._write(
            "export.json",
            {
                "model_md5": model_md5,
                "options": {"batch_size": 500},
                "ts": {"md5": files.md5(self.folder / "model.ts")},
            },
        )
        record = {
            "run": "lenet",
            "task": "classification",
            "dataset": "digits",
            "input_key": key,
            "model_md5": model_md5,
            "params": {"seed": 1, "train.optimizer.lr": 0.05},
            "data": {"data/processed/digits/train.safetensors": "1" * 32},
            "versions": ["torch==2.14.1"],
            "counts": {"train": 20, "val": 20, "test": 20},
            "num_parameters": 1,
        }
        self._write("record.json", record)

    def compare(self, distance: float, classifier_md5: str) -> None:
        """Let the model have been compared in the features of a classifier."""
        sections = params.read() | {"comparisons": {"lenet": {"dataset": "digits", "classifier": "other"}}}
        sections["runs"]["lenet"]["promote"] = {"metric": "frechet_distance", "direction": "min", "threshold": 100}
        (self.root / "params.yaml").write_text(json.dumps(sections), encoding="utf-8")  # JSON is YAML
        (self.folder / "comparison").mkdir(exist_ok=True)
        self._write("comparison_metrics.json", {"frechet_distance": distance})
        facts = json.loads((self.folder / "evaluation.json").read_text(encoding="utf-8"))
        self._write("comparison.json", facts | {"options": {"classifier_md5": classifier_md5, "num_samples": 100}})

    def _write(self, name: str, content: object) -> None:
        (self.folder / name).write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture
def outputs(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith(("MLFLOW", "DVC"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    versions = Path("versions.txt").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "versions.txt").write_text(versions, encoding="utf-8")
    return Outputs(tmp_path)
