"""Real stages in processes of their own, a real SQLite store and a real MLflow server."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
from serving import free_port

SOURCE = Path(__file__).parents[2] / "src"
STAGE = Path(__file__).parent / "fake_stage.py"


class Workspace:
    """A folder that stages run in."""

    def __init__(self, root: Path) -> None:
        self.root = root
        #: What the stages are started by.
        self.wrapper: list[str] = []
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW", "DVC", "PIPELINE"))}
        self.env["PYTHONPATH"] = str(SOURCE)
        # Outside a repository, so that git's facts are no part of these tests.
        self.env["GIT_CEILING_DIRECTORIES"] = str(root.parent)

    @property
    def database(self) -> Path:
        return self.root / "mlruns" / "mlflow.db"

    @property
    def uri(self) -> str:
        return self.env.get("MLFLOW_TRACKING_URI", f"sqlite:///{self.database}")

    def put(self, database: Path) -> None:
        """Begin with a copy of a store."""
        self.database.parent.mkdir()
        shutil.copyfile(database, self.database)

    def start(self, stage: str, key: str, **wish: Any) -> "subprocess.Popen[str]":
        wish |= {"stage": stage, "key": key, "data": {"train.safetensors": "1", "val.safetensors": "2"}}
        command = [*self.wrapper, sys.executable, str(STAGE), json.dumps(wish)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.root, env=self.env, stdout=pipe, stderr=pipe, text=True)

    def stage(self, stage: str, key: str, **wish: Any) -> dict[str, Any]:
        """Run a stage that succeeds; what it printed, and under ``stderr`` what it warned of."""
        return self.end(self.start(stage, key, **wish))

    def end(self, process: "subprocess.Popen[str]") -> dict[str, Any]:
        """Wait for a stage that succeeds; what it printed, and under ``stderr`` what it warned of."""
        out, err = process.communicate(timeout=90)
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
                    name: sorted((m.step, m.value) for m in client.get_metric_history(run.info.run_id, name))
                    for name in run.data.metrics
                },
                "data": {i.tags[0].value: (i.dataset.name, i.dataset.digest) for i in run.inputs.dataset_inputs},
                "artifacts": [file.path for file in client.list_artifacts(run.info.run_id)],
                # images/<name>+step+<number>+…, each in two sizes
                "images": sorted(
                    (name.partition("+")[0].partition("/")[2], int(name.split("+")[2]))
                    for name in (file.path for file in client.list_artifacts(run.info.run_id, "images"))
                    if name.endswith(".png")
                ),
            }
            for run in client.search_runs(experiments, f"tags.`pipeline.input_key` = '{key}'" if key else "")
        ]

    def run(self, key: str) -> dict[str, Any]:
        [found] = self.runs(key)
        return found

    def wait_for_epoch(self, key: str, epoch: int) -> None:
        """Wait until the store has this epoch."""
        wait_until(lambda: any(run["metrics"].get("train/loss", [(0, 0)])[-1][0] == epoch for run in self.runs(key)))

    def open_gate(self, epoch: int) -> None:
        """Let a stage go on that waits after this epoch, as the wish ``gates`` told it to."""
        (self.root / f"gate-{epoch}").touch()

    @property
    def spool(self) -> Path:
        return self.root / ".pipeline" / "tracking"

    def journals(self) -> list[Path]:
        return sorted(self.spool.glob("*.jsonl"))

    def kill_publishers(self) -> None:
        for process in psutil.process_iter(["cmdline", "cwd"]):
            if process.info["cwd"] == str(self.root) and "pipeline.tracking.publisher" in process.info["cmdline"]:
                process.kill()
                process.wait()

    def assert_complete(self, key: str, epochs: int) -> None:
        """The store has all that a training of so many epochs told, once, and nothing waits for it."""
        steps = range(1, epochs + 1)
        run = self.run(key)
        assert run["status"] == "FINISHED"
        assert run["metrics"] == {
            "train/loss": [(epoch, 1 / epoch) for epoch in steps],
            "val/loss": [(epoch, 2 / epoch) for epoch in steps],
            "val/accuracy": [(epoch, 1 - 1 / epoch) for epoch in steps],
            "system/examples_per_second": [(epoch, 1000.0) for epoch in steps],
        }
        assert run["artifacts"] == ["model.safetensors"]
        assert [path.name for path in self.spool.iterdir()] == ["locks"]

    def close(self) -> None:
        """The publisher ends when its lock is gone."""
        shutil.rmtree(self.root / ".pipeline", ignore_errors=True)


class Server:
    """``python -m <arguments>``, a server that serves MLflow on a free port and can be stopped and started."""

    def __init__(self, *arguments: str, cwd: Path, env: dict[str, str]) -> None:
        self.port = free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self.command = [sys.executable, "-m", *arguments, "--port", str(self.port), "--workers", "1"]
        # Seven helper processes, none of which takes part in tracking, would each import MLflow.
        self.cwd, self.env = cwd, env | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        self.process: subprocess.Popen[bytes] | None = None
        self.database: Path | None = None

    def start(self) -> None:
        """Serve; does nothing for a server that does already."""
        if self.process is None:
            null = subprocess.DEVNULL
            self.process = subprocess.Popen(
                self.command, cwd=self.cwd, env=self.env, stdout=null, stderr=null, process_group=0
            )
            wait_until(self.answers, seconds=60)

    def answers(self) -> bool:
        try:
            return urllib.request.urlopen(f"{self.uri}/health", timeout=1).status == 200  # noqa: S310
        except OSError:
            return False

    def send(self, number: signal.Signals) -> None:
        """Send a signal to all of its processes."""
        assert self.process is not None
        os.killpg(self.process.pid, number)

    def stop(self) -> None:
        """End it at once; does nothing for a server that isn't there."""
        if self.process is not None:
            self.send(signal.SIGKILL)
            self.process.wait()
            self.process = None


def wait_until(condition: Callable[[], Any], seconds: float = 30) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store without runs, to copy: creating one takes seconds."""
    workspace = Workspace(tmp_path_factory.mktemp("empty"))
    assert workspace.python("-c", "from pipeline.tracking.publishing import open_store; open_store()").returncode == 0
    with closing(sqlite3.connect(workspace.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return workspace.database


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[Workspace]:
    """One folder, store and publisher for tests that only need a model of their own."""
    workspace = Workspace(tmp_path_factory.mktemp("shared"))
    workspace.put(empty_database)
    yield workspace
    workspace.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Workspace]:
    """A folder without a store."""
    workspace = Workspace(tmp_path)
    yield workspace
    workspace.close()


@pytest.fixture
def stored(fresh: Workspace, empty_database: Path) -> Workspace:
    """A folder with a store of its own, which has no runs."""
    fresh.put(empty_database)
    return fresh


@pytest.fixture
def key() -> str:
    """The input key of a model that no other test has."""
    return uuid.uuid4().hex * 2


@pytest.fixture
def until() -> Callable[..., None]:
    """Wait until a condition holds, for half a minute unless told otherwise."""
    return wait_until


@pytest.fixture
def serving() -> Iterator[Callable[..., Server]]:
    """Makes servers, which end with the test."""
    servers: list[Server] = []

    def make(*arguments: str, cwd: Path, env: dict[str, str]) -> Server:
        servers.append(Server(*arguments, cwd=cwd, env=env))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[Server]:
    """`mlflow server` with a store of its own, not started; tests take :func:`server`."""
    workspace = Workspace(tmp_path_factory.mktemp("server"))
    workspace.put(empty_database)
    store = ["--backend-store-uri", workspace.uri, "--artifacts-destination", str(workspace.root / "artifacts")]
    server = Server("mlflow", "server", *store, cwd=workspace.root, env=workspace.env)
    server.database = workspace.database
    yield server
    server.stop()


@pytest.fixture
def server(mlflow_server: Server) -> Iterator[Server]:
    """`mlflow server`, running; a test may do to it what it likes."""
    mlflow_server.start()
    yield mlflow_server
    if mlflow_server.process is not None:
        mlflow_server.send(signal.SIGCONT)
