"""The team's server on a real PostgreSQL, a server that speaks S3 and checks keys, and what both hold."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from serving import free_port

from pipeline.team.postgres import programs

SOURCE = Path(__file__).parents[2] / "src"
STAGE = Path(__file__).parents[1] / "tracking" / "fake_stage.py"
#: Seconds that a server may take to answer, on a machine that is busy with other tests.
PATIENCE = 240


def environment() -> dict[str, str]:
    """This process's, without settings of the programs that are tested."""
    prefixes = ("MLFLOW_", "PG", "PIPELINE_", "DVC_", "AWS_", "PYTHON")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
    return inherited | {"PYTHONPATH": str(SOURCE), "DVC_NO_ANALYTICS": "1"}


class TeamServer:
    """`make server` without make, on a free port.

    Attributes:
        data: its folder, in ``home``.
        secrets: the passwords that it gets by its environment.
        passwords: of its users.
        said: the file with all that it and its programs have written.
    """

    def __init__(self, data: Path) -> None:
        self.data, self.port = data, free_port()
        # A quote and a backslash, as they may be in a password.
        self.secrets = {"PGPASSWORD": f"d'\\{secrets.token_hex(8)}", "MLFLOW_TRACKING_PASSWORD": secrets.token_hex(8)}
        self.admin = "admin"
        self.passwords = {self.admin: self.secrets["MLFLOW_TRACKING_PASSWORD"]}
        self.home = data.parent
        self.said = self.home / "said"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        return environment() | self.secrets | {"MLFLOW_TRACKING_USERNAME": self.admin}

    def begin(self, *options: str, **changed: str) -> "subprocess.Popen[bytes]":
        """Start it, and don't wait."""
        command = [sys.executable, "-m", "pipeline.team.server", str(self.data), "--port", str(self.port), *options]
        with self.said.open("ab") as said:
            self.process = subprocess.Popen(command, env=self.env | changed, stdout=said, stderr=said, cwd=self.home)
        return self.process

    def start(self, *options: str) -> None:
        """Start it and wait until it says its address."""
        before = self.told().count("MLflow is on")
        process = self.begin("--workers", "1", *options)
        deadline = time.monotonic() + PATIENCE
        while self.told().count("MLflow is on") == before:
            assert process.poll() is None, self.told()[-4000:]
            assert time.monotonic() < deadline, self.told()[-4000:]
            time.sleep(0.1)

    def told(self) -> str:
        return self.said.read_text(encoding="utf-8") if self.said.exists() else ""

    def family(self) -> list[psutil.Process]:
        """All of its processes, PostgreSQL's and MLflow's among them."""
        assert self.process is not None
        first = psutil.Process(self.process.pid)
        return [first, *first.children(recursive=True)]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal to the command alone and wait for its end; its exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """SIGKILL to every process of it."""
        family = self.family()
        for process in family:
            with suppress(psutil.NoSuchProcess):  # the others end with the first
                process.kill()
        self.process.wait()
        psutil.wait_procs(family)

    def login(self, user: str, password: str) -> dict[str, str]:
        """What a member's shell has to export."""
        login = {"MLFLOW_TRACKING_USERNAME": user, "MLFLOW_TRACKING_PASSWORD": password}
        return {"MLFLOW_TRACKING_URI": self.uri, **login}

    def join(self, user: str) -> dict[str, str]:
        """Make a user; what their shell has to export."""
        password = self.passwords[user] = secrets.token_hex(8)
        script = (
            "import os; from mlflow.server import get_app_client; "
            "get_app_client('basic-auth', os.environ['MLFLOW_TRACKING_URI'])"
            ".create_user(os.environ['USER'], os.environ['PASSWORD'])"
        )
        names = {"MLFLOW_TRACKING_URI": self.uri, "USER": user, "PASSWORD": password}
        done = subprocess.run([sys.executable, "-c", script], env=self.env | names, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return self.login(user, password)

    def client(self) -> Any:
        """An MLflow client of the administrator."""
        from mlflow import MlflowClient

        return MlflowClient(f"http://{self.admin}:{self.secrets['MLFLOW_TRACKING_PASSWORD']}@127.0.0.1:{self.port}")

    def runs(self) -> list[dict[str, Any]]:
        """All that the server knows of each run of a model."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow's own, of what it uses of others
            return runs(self.client())


class Folder:
    """A folder that stages run in, and all that they and other commands have said there."""

    def __init__(self, root: Path) -> None:
        self.root, self.said = root, ""
        # Outside a repository, so that git's facts are no part of these tests.
        self.env = environment() | {"GIT_CEILING_DIRECTORIES": str(root.parent)}

    def start(self, key: str, login: dict[str, str], **wish: Any) -> "subprocess.Popen[str]":
        """Start a training of two epochs, which `fake_stage.py` only tells of."""
        wish = {"stage": "train", "key": key, "data": {}, "epochs": 2} | wish
        command = [sys.executable, str(STAGE), json.dumps(wish)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.root, env=self.env | login, stdout=pipe, stderr=pipe, text=True)

    def end(self, process: "subprocess.Popen[str]") -> str:
        """Wait for a training that succeeds; what it warned of."""
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, err
        self.said += out + err
        return err

    def run(self, module: str, login: dict[str, str]) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", f"pipeline.{module}"]
        done = subprocess.run(command, cwd=self.root, env=self.env | login, capture_output=True, text=True)
        self.said += done.stdout + done.stderr
        return done

    def journals(self) -> list[Path]:
        return list((self.root / ".pipeline" / "tracking").glob("*.jsonl"))

    def assert_keeps_no(self, *secrets: str) -> None:
        """Neither a file's name or contents here nor anything that was said has a secret in it."""
        for secret in secrets:
            assert secret not in self.said
            assert places_of(secret, self.root) == []


def places_of(secret: str, root: Path) -> list[Path]:
    """The files below a folder that have a secret in their name or contents."""
    files = [path for path in root.rglob("*") if path.is_file()]
    assert files
    found = []
    for file in files:
        with suppress(FileNotFoundError):  # deleted meanwhile
            if secret in str(file) or secret.encode() in file.read_bytes():
                found.append(file)
    return found


def runs(client: Any) -> list[dict[str, Any]]:
    """All that a store knows of each run of a model, with the bytes of all artifacts."""
    found = []
    for run in client.search_runs([experiment.experiment_id for experiment in client.search_experiments()]):
        with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            patch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
            client.download_artifacts(run.info.run_id, "", folder)
            files = {
                str(file.relative_to(folder)): file.read_bytes() for file in Path(folder).rglob("*") if file.is_file()
            }
        histories = {name: client.get_metric_history(run.info.run_id, name) for name in run.data.metrics}
        found.append(
            {
                "name": run.info.run_name,
                "status": run.info.status,
                "params": run.data.params,
                "tags": run.data.tags,
                "data": sorted((i.tags[0].value, i.dataset.digest) for i in run.inputs.dataset_inputs),
                "metrics": {name: sorted((m.step, m.value) for m in told) for name, told in histories.items()},
                "artifacts": files,
            }
        )
    return found


@pytest.fixture(scope="session", name="runs")
def reader() -> Callable[[str], list[dict[str, Any]]]:
    """Reads the runs of the store at an address."""

    def read(address: str) -> list[dict[str, Any]]:
        from mlflow import MlflowClient

        return runs(MlflowClient(address))

    return read


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    """A folder that others may pass through, as PostgreSQL's user has to if this is root; pytest's own are private."""
    try:
        programs()
    except ValueError as error:
        pytest.skip(str(error))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture(scope="module")
def server(place: Path, request: pytest.FixtureRequest) -> Iterator[TeamServer]:
    """A team's server, running, for the tests of one file."""
    folder = place / request.module.__name__.rpartition(".")[2]
    folder.mkdir()
    folder.chmod(0o711)
    made = TeamServer(folder / "data")
    try:
        made.start()
        yield made
    finally:
        made.end()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    """A folder that stages run in."""
    yield Folder(tmp_path)
    shutil.rmtree(tmp_path / ".pipeline", ignore_errors=True)  # the publishing process ends


@pytest.fixture
def key() -> str:
    """The input key of a model that no other test has."""
    return uuid.uuid4().hex * 2


@pytest.fixture(scope="session", name="places_of")
def searcher() -> Callable[[str, Path], list[Path]]:
    """Looks for a secret below a folder."""
    return places_of
