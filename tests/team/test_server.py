"""`make server`: what it refuses, what it gives away, how it ends, and what is there when it starts again."""

import base64
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

import psutil
import psycopg2
import pytest
from alembic import command
from mlflow.store.db.utils import _get_alembic_config

from pipeline.team import postgres

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PATIENCE = 240


def refusal(server, *options, **changed):
    """The lines that it says instead of serving."""
    before = server.told()
    assert server.begin(*options, **changed).wait(PATIENCE) == 1
    return server.told().removeprefix(before).splitlines()


def listening(server):
    """The addresses that its processes listen on."""
    found = [connection for process in server.family() for connection in process.net_connections("inet")]
    return {connection.laddr for connection in found if connection.status == psutil.CONN_LISTEN}


def status(uri, **headers):
    try:
        return urllib.request.urlopen(urllib.request.Request(uri, headers=headers), timeout=30).status  # noqa: S310
    except urllib.error.HTTPError as error:
        return error.code


@pytest.fixture
def idle(place, server):
    """A server with a folder of its own, which nobody has started; it is stopped at the end."""
    folder = place / f"idle-{time.monotonic_ns()}"
    folder.mkdir()
    folder.chmod(0o711)
    made = type(server)(folder / "data")
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


@pytest.mark.parametrize("name", ["PGPASSWORD", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"])
def test_a_missing_secret_is_named_before_anything_is_made(idle, name):
    (told,) = refusal(idle, **{name: ""})

    assert told.startswith(f"error: {name} is not set; it is ")
    assert not idle.data.exists()


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("MLFLOW_TRACKING_PASSWORD", "elevenchars", "too short; MLflow wants 12 characters or more"),
        ("MLFLOW_TRACKING_PASSWORD", "twelve chärs", "not all ASCII"),
        ("MLFLOW_TRACKING_USERNAME", "jürgen", "not all ASCII"),
    ],
)
def test_a_login_that_mlflow_would_refuse_is_named_before_anything_is_made(idle, name, value, problem):
    (told,) = refusal(idle, **{name: value})

    assert told.startswith(f"error: {name} is {problem}")
    assert value not in told
    assert not idle.data.exists()


def test_a_port_or_folder_in_use_is_named_before_anything_starts(server, idle):
    own, idle.port = idle.port, server.port
    (told,) = refusal(idle)
    assert "Address already in use" in told
    assert told.endswith("; end what listens there, or choose another by PORT=")
    assert not idle.data.exists()

    idle.port, idle.data = own, server.data
    assert refusal(idle) == [f"error: {server.data} is in use by another `make server`"]


def test_a_folder_without_room_for_a_socket_is_refused_before_anything_is_made(idle):
    idle.data = idle.data / ("d" * 80)
    (told,) = refusal(idle)

    assert told.endswith("no Unix socket can be here; choose a shorter path, without commas")
    assert not idle.data.parent.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only for root does PostgreSQL run as another user")
def test_a_folder_that_the_database_user_cannot_enter_is_refused(idle):
    idle.data.parent.chmod(0o700)
    try:
        (told,) = refusal(idle)
    finally:
        idle.data.parent.chmod(0o711)

    assert told == f"error: the user postgres can't enter {idle.data}; choose a folder that others can"


def test_programs_are_looked_for_on_the_path_and_where_debian_has_them(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(postgres, "DEBIAN", tmp_path)
    with pytest.raises(ValueError, match="PostgreSQL is missing: `apt-get install postgresql`"):
        postgres.programs()

    for version in ("9", "15"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "postgres").touch()
    assert postgres.programs() == tmp_path / "15" / "bin"


def test_only_this_machine_is_served_and_only_who_has_a_password(server):
    assert listening(server) == {("127.0.0.1", server.port)}
    for path in ("/", "/api/2.0/mlflow/experiments/search?max_results=1", "/api/2.0/mlflow-artifacts/artifacts"):
        assert status(f"{server.uri}{path}") == 401
    assert status(server.uri, Host="mlflow.example.org") == 403


def test_no_secret_is_in_an_argument_a_file_or_what_is_printed(server, places_of):
    told = server.told()
    words = [word for process in server.family() for word in process.cmdline()]
    of_the_database = [process for process in server.family() if "postgres" in process.name()]

    assert of_the_database
    for secret in server.secrets.values():
        assert secret not in told
        assert not any(secret in word for word in words)
        assert places_of(secret, server.data) == []
        assert not any(secret in process.environ().values() for process in of_the_database)
    assert (server.data / "postgres").stat().st_mode & 0o777 == 0o700
    assert (server.data / "artifacts").stat().st_mode & 0o777 == 0o700


def log_run(server, name):
    client = server.client()
    run = client.create_run("0", run_name=name)
    client.log_metric(run.info.run_id, "loss", 0.5, step=1)
    client.log_text(run.info.run_id, f"text of {name}", "file.txt")
    client.set_terminated(run.info.run_id)


def names(server):
    found = server.runs()
    assert all(run["artifacts"] == {"file.txt": f"text of {run['name']}".encode()} for run in found)
    return {run["name"] for run in found}


def end_by(server, number):
    family = server.family()
    assert server.end(number) == 0
    assert "database system is shut down" in server.told().splitlines()[-1]
    return family


def kill_the_command(server):
    """As if it had been killed for memory: nothing is left that could do it in order but PostgreSQL and MLflow."""
    family = server.family()
    server.process.kill()
    return family


def kill_a_part(server, part):
    family = server.family()
    next(process for process in family if part in " ".join(process.cmdline())).kill()
    assert server.process.wait(120) == 1
    return family


@pytest.mark.filterwarnings("ignore::Warning")  # MLflow's own, of what it uses of others
def test_however_it_ends_nothing_stays_behind_and_the_next_start_finds_all_data(idle):
    ways = {
        "Ctrl-C": lambda: end_by(idle, signal.SIGINT),  # SIGTERM is what ends all servers of these tests
        "the command killed": lambda: kill_the_command(idle),
        "PostgreSQL killed": lambda: kill_a_part(idle, "postgres"),
        "MLflow killed": lambda: kill_a_part(idle, "mlflow server"),
    }
    for number, (way, end) in enumerate(ways.items()):
        idle.start()
        assert names(idle) == set(list(ways)[:number])
        log_run(idle, way)
        _, left = psutil.wait_procs(end(), timeout=60)
        assert left == [], way
    told = idle.told().splitlines()
    assert "error: PostgreSQL has ended by itself, with status -9" in told
    assert told[-1] == "error: MLflow has ended by itself, with status -9"

    idle.start()
    assert names(idle) == set(ways)


def test_a_backup_is_the_same_server_elsewhere(server, idle, tmp_path):
    """By the commands of docs/team.md."""
    log_run(server, "kept")
    member = server.join("anna")
    execute("Backup", server, tmp_path, "/srv/mlflow")
    idle.start()
    execute("Restore", idle, tmp_path, "/srv/new")
    idle.secrets["MLFLOW_TRACKING_PASSWORD"] = server.secrets["MLFLOW_TRACKING_PASSWORD"]
    assert idle.end() == 0

    idle.start()
    assert names(idle) == names(server)
    login = base64.b64encode(f"anna:{member['MLFLOW_TRACKING_PASSWORD']}".encode()).decode()
    assert status(f"{idle.uri}/", Authorization=f"Basic {login}") == 200


def execute(heading, server, folder, place):
    """Run the commands below a heading of docs/team.md, with the server's folder in the place of theirs."""
    text = (ROOT / "docs" / "team.md").read_text(encoding="utf-8").split(f"## {heading}\n")[1]
    commands = text.split("```sh\n")[1].split("```")[0]
    assert place in commands
    subprocess.run(["bash", "-euc", commands.replace(place, str(server.data))], cwd=folder, env=server.env, check=True)


def test_tables_of_an_older_mlflow_are_upgraded_on_demand(idle):
    idle.start()
    log_run(idle, "old")
    _, left = psutil.wait_procs(end_by(idle, signal.SIGTERM), timeout=60)
    assert left == []
    cluster = postgres.Postgres(idle.data / "postgres", idle.secrets["PGPASSWORD"])
    address = f"postgresql+psycopg2://{postgres.ROLE}@/mlflow?host={cluster.folder}"
    config = _get_alembic_config(address)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGPASSWORD", cluster.password)
        with cluster.running(), closing(psycopg2.connect(address.replace("+psycopg2", ""))) as connection, connection:
            command.downgrade(config, "-1")
            # In the way of the upgrade, and MLflow doesn't begin it by itself where no table is missing.
            connection.cursor().execute("CREATE TABLE job_locks (); CREATE TABLE scheduler_leases ();")

        assert refusal(idle)[-1] == "error: MLflow doesn't answer; what it says is above"
        assert "Detected out-of-date database schema" in idle.told()
        assert refusal(idle, "--upgrade")[-1] == "error: the tables could not be upgraded; what MLflow says is above"

        with cluster.running(), closing(psycopg2.connect(address.replace("+psycopg2", ""))) as connection, connection:
            connection.cursor().execute("DROP TABLE job_locks, scheduler_leases;")
    idle.start("--upgrade")
    assert names(idle) == {"old"}
