"""Real stages in processes of their own, a real SQLite store and a real MLflow server."""

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).parents[2] / "src"
STAGE = Path(__file__).parent / "fake_stage.py"


class Workspace:
    """A folder that stages run in."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW", "DVC", "PIPELINE"))}
        self.env["PYTHONPATH"] = str(SOURCE)
        # Outside a repository, so that git's facts are no part of these tests.
        self.env["GIT_CEILING_DIRECTORIES"] = str(root.parent)

    @property
    def uri(self) -> str:
        return self.env.get("MLFLOW_TRACKING_URI", f"sqlite:///{self.root}/mlruns/mlflow.db")

    def start(self, stage: str, key: str, **wish: Any) -> "subprocess.Popen[str]":
        wish |= {"stage": stage, "key": key, "data": {"train.safetensors": "1", "val.safetensors": "2"}}
        command = [sys.executable, str(STAGE), json.dumps(wish)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.root, env=self.env, stdout=pipe, stderr=pipe, text=True)

    def stage(self, stage: str, key: str, **wish: Any) -> dict[str, Any]:
        """Run a stage that succeeds; what it printed, and under ``stderr`` what it warned of."""
        process = self.start(stage, key, **wish)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        return {**json.loads(out), "stderr": err}

    def track(self) -> "subprocess.CompletedProcess[str]":
        return self.python("-m", "pipeline.tracking.track")

    def python(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=self.root, env=self.env, capture_output=True, text=True, timeout=120)

    def runs(self, key: str | None = None) -> list[dict[str, Any]]:
        """All that the store knows of the runs of one model, or of all."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow's own, of what it uses of SQLAlchemy and others
            return self._runs(key)

    def _runs(self, key: str | None) -> list[dict[str, Any]]:
        from mlflow import MlflowClient

        client = MlflowClient(self.uri)
        experiments = [experiment.experiment_id for experiment in client.search_experiments()]
        return [
            {
                "experiment": client.get_experiment(run.info.experiment_id).name,
                "name": run.info.run_name,
                "status": run.info.status,
                "params": run.data.params,
                "tags": run.data.tags,
                "metrics": {
                    name: [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, name)]
                    for name in run.data.metrics
                },
                "data": {i.tags[0].value: (i.dataset.name, i.dataset.digest) for i in run.inputs.dataset_inputs},
                "artifacts": [file.path for file in client.list_artifacts(run.info.run_id)],
            }
            for run in client.search_runs(experiments, f"tags.`pipeline.input_key` = '{key}'" if key else "")
        ]

    def run(self, key: str) -> dict[str, Any]:
        [found] = self.runs(key)
        return found

    def journals(self) -> list[Path]:
        return sorted((self.root / ".pipeline" / "tracking").glob("*.jsonl"))

    def close(self) -> None:
        """The publisher ends when its lock is gone."""
        shutil.rmtree(self.root / ".pipeline", ignore_errors=True)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One folder, store and publisher for tests that only need a model of their own."""
    workspace = Workspace(tmp_path_factory.mktemp("shared"))
    # Tests look into the store without the lock that its creation needs.
    assert workspace.python("-c", "from pipeline.tracking.publishing import open_store; open_store()").returncode == 0
    yield workspace
    workspace.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Workspace]:
    """A folder without a store."""
    workspace = Workspace(tmp_path)
    yield workspace
    workspace.close()


@pytest.fixture
def key() -> str:
    """The input key of a model that no other test has."""
    return uuid.uuid4().hex * 2


@pytest.fixture
def until() -> Callable[[Callable[[], Any]], None]:
    """Wait until a condition holds, for half a minute at most."""

    def wait(condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, "it never happened"
            time.sleep(0.1)

    return wait
