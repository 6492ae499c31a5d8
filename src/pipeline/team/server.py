"""`make server DATA=<folder>`: a team's MLflow server on PostgreSQL, with users and passwords, for this machine alone.

All passwords come from the environment, go to no file, and only to the processes that need them. Who isn't on this
machine comes through a proxy that speaks TLS: see docs/team.md. The environment has PGPASSWORD (of the database),
MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD (of the administrator). Other options are
those of `mlflow server`.
"""

import base64
import http.client
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlencode

from pipeline import arguments, noise, ports
from pipeline.team import process
from pipeline.tracking import spool

#: Variable -> what it is.
NEEDED = {
    "PGPASSWORD": "the password of the database",
    "MLFLOW_TRACKING_USERNAME": "the administrator's name",
    "MLFLOW_TRACKING_PASSWORD": "the administrator's password",
}
#: Characters that MLflow wants of a password.
MIN_PASSWORD = 12
#: Of `make extras`.
LIBRARIES = ("psycopg2", "flask_wtf")
SIGNALS = (signal.SIGINT, signal.SIGTERM)
HOST = "127.0.0.1"
#: Seconds that MLflow may take to answer: it makes the tables of a new database first.
PATIENCE = 300


def main(data: Path, port: int, upgrade: bool, options: list[str]) -> None:
    """Serve until a signal comes, or PostgreSQL or MLflow ends by itself.

    Args:
        data: the folder of the databases and artifacts; it is made if it isn't there.
        port: of MLflow.
        upgrade: first bring tables of an older MLflow to what this one expects; else it refuses them.
        options: further ones of `mlflow server`.

    Raises:
        ValueError: something is missing or in use, which is found before anything starts, or a server has ended.
    """
    _check(port)
    # Here and not above: whether its library is there is among what was checked.
    from pipeline.team.postgres import Postgres

    postgres = Postgres(data / "postgres", os.environ["PGPASSWORD"])
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]  # the shell's settings are for other databases
    with _alone(data):
        postgres.create()
        with postgres.running() as database:
            environment = _environment(postgres.environment)
            if upgrade:
                _upgrade(environment)
            with _mlflow(data, port, options, environment) as mlflow:
                _wait(mlflow, port)
                _say(f"http://{HOST}:{port}")
                _watch({"PostgreSQL": database, "MLflow": mlflow})


def _check(port: int) -> None:
    for name, meaning in NEEDED.items():
        if not os.environ.get(name):
            raise ValueError(f"{name} is not set; it is {meaning}")
    if len(os.environ["MLFLOW_TRACKING_PASSWORD"]) < MIN_PASSWORD:
        raise ValueError(f"MLFLOW_TRACKING_PASSWORD is too short; MLflow wants {MIN_PASSWORD} characters or more")
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        if not os.environ[name].isascii():
            raise ValueError(f"{name} is not all ASCII; MLflow would refuse artifacts to who logs in with it")
    for library in LIBRARIES:
        if importlib.util.find_spec(library) is None:
            raise ValueError(f"{library} is not installed: `make extras`")
    if shutil.which("setpriv") is None:
        raise ValueError("setpriv is missing: `apt-get install util-linux`")
    ports.listen(HOST, port).close()


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    if not data.exists():
        data.mkdir(parents=True)
        data.chmod(0o711)  # the user that PostgreSQL runs as passes through
    with (data / "lock").open("w") as file:
        if not spool.lock(file):
            raise ValueError(f"{data} is in use by another `make server`")
        yield


def _environment(database: Mapping[str, str]) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_TRACKING_")}
    settings = {
        # Variables of ``database`` complete it. The folder is in it for MLflow, which locks by address.
        "MLFLOW_BACKEND_STORE_URI": f"postgresql+psycopg2:///mlflow?{urlencode({'host': database['PGHOST']})}",
        "MLFLOW_AUTH_CONFIG_PATH": str(Path(__file__).with_name("auth.ini")),
        "MLFLOW_AUTH_ADMIN_USERNAME": os.environ["MLFLOW_TRACKING_USERNAME"],
        "MLFLOW_AUTH_ADMIN_PASSWORD": os.environ["MLFLOW_TRACKING_PASSWORD"],
        "MLFLOW_FLASK_SERVER_SECRET_KEY": secrets.token_hex(32),  # of forms that a browser has open
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # seven more processes, for features that need a language model
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    return {**noise.MLFLOW_SERVER, **inherited, **database, **settings}


def _upgrade(environment: dict[str, str]) -> None:
    address = environment["MLFLOW_BACKEND_STORE_URI"]
    command = process.bound([sys.executable, "-m", "mlflow", "db", "upgrade", address], signal.SIGTERM)
    if subprocess.run(command, env=environment, check=False).returncode:
        raise ValueError("the tables could not be upgraded; what MLflow says is above")


@contextmanager
def _mlflow(
    data: Path, port: int, options: list[str], environment: dict[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    artifacts = data / "artifacts"
    artifacts.mkdir(mode=0o700, exist_ok=True)
    place = ["--artifacts-destination", str(artifacts), "--host", HOST, "--port", str(port)]
    command = [sys.executable, "-m", "mlflow", "server", "--app-name", "basic-auth", *place, *options]
    with process.running(command, end=signal.SIGTERM, env=environment) as started:
        yield started


def _wait(mlflow: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while _status(port, "/health") != HTTPStatus.OK:
        if mlflow.poll() is not None or time.monotonic() > deadline:
            raise ValueError("MLflow doesn't answer; what it says is above")
        time.sleep(0.1)
    user = os.environ["MLFLOW_TRACKING_USERNAME"]
    pair = f"{user}:{os.environ['MLFLOW_TRACKING_PASSWORD']}"
    login = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    status = _status(port, f"/api/2.0/mlflow/users/get?{urlencode({'username': user})}", login)
    if status == HTTPStatus.UNAUTHORIZED:  # another answer may come of MLFLOW_SERVER_ALLOWED_HOSTS
        raise ValueError(f"MLFLOW_TRACKING_PASSWORD is not the password of {user}, who is in the database already")


def _status(port: int, path: str, headers: Mapping[str, str] | None = None) -> int:
    """The status of the answer; 0 without one."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path, headers=headers or {})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def _watch(servers: Mapping[str, "subprocess.Popen[bytes]"]) -> None:
    while True:
        for name, server in servers.items():
            if server.poll() is not None:
                raise ValueError(f"{name} has ended by itself, with status {server.returncode}")
        time.sleep(0.2)


def _say(address: str) -> None:
    sys.stdout.write(
        f"MLflow is on {address}; Ctrl-C stops it. To use it, in any shell:\n"
        f"  export MLFLOW_TRACKING_URI={address} MLFLOW_TRACKING_USERNAME=<name>\n"
        "  read -rs MLFLOW_TRACKING_PASSWORD && export MLFLOW_TRACKING_PASSWORD\n"
    )
    sys.stdout.flush()


def _interrupt(*_: object) -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # once is enough: what follows must not be cut short
    raise KeyboardInterrupt


if __name__ == "__main__":
    parser = arguments.parser(__doc__, "make server DATA=<folder> [PORT=5000] [UPGRADE=1]")
    parser.add_argument("data", metavar="DATA", type=Path, help="the folder of the databases and artifacts")
    parser.add_argument("--port", type=ports.number, default=5000)
    parser.add_argument("--upgrade", action="store_true", help="tables of an older MLflow")
    given, others = parser.parse_known_args()
    for number in SIGNALS:
        signal.signal(number, _interrupt)
    try:
        main(given.data.resolve(), given.port, given.upgrade, others)
    except (ValueError, OSError) as problem:
        sys.exit(f"error: {problem}")
    except KeyboardInterrupt:
        pass
