"""The cluster without MLflow: who gets in, and a creation that is cut short."""

import os
import shutil
import subprocess
import sys
import time
from contextlib import closing

import psutil
import psycopg2
import pytest

from pipeline.team.postgres import Postgres

pytestmark = pytest.mark.slow

PASSWORD = "d'\\ä-" + "x" * 12
CREATE = "import sys; from pathlib import Path; from pipeline.team.postgres import Postgres; "
CREATE += "Postgres(Path(sys.argv[1]), sys.argv[2]).create()"
#: Prints whose process it is.
RUN = "import sys, psutil; from pathlib import Path; from pipeline.team.postgres import Postgres; "
RUN += "made = Postgres(Path(sys.argv[1]), 'secret'); made.create()\n"
RUN += "with made.running() as process: print(psutil.Process(process.pid).username())"
#: An ordinary user, who may still read Python's files where only root can.
NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
READING = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")


@pytest.fixture
def folder(place):
    """Where a cluster may be made."""
    made = place / f"cluster-{time.monotonic_ns()}"
    made.mkdir()
    made.chmod(0o711)
    return made / "postgres"


@pytest.fixture(scope="module")
def cluster(place):
    """A cluster that runs."""
    made = Postgres(place / "cluster", PASSWORD)
    made.create()
    with made.running():
        yield made


def select(cluster, **login):
    login = {"host": str(cluster.folder), "user": "mlflow", "dbname": "mlflow", "password": PASSWORD} | login
    with closing(psycopg2.connect(**login)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = 'mlflow'")
        return cursor.fetchone()


def test_the_role_may_do_nothing_but_use_its_databases(cluster):
    for database in ("mlflow", "mlflow_auth"):
        assert select(cluster, dbname=database) == (False, False, False)


@pytest.mark.parametrize(
    ("login", "answer"),
    [
        ({"password": "another"}, "password authentication failed"),
        ({"password": ""}, "no password supplied"),
        ({"dbname": "postgres"}, "no pg_hba.conf entry"),
        ({"user": "postgres"}, "no pg_hba.conf entry"),
        ({"host": "127.0.0.1"}, "Connection refused"),
    ],
)
def test_nobody_else_gets_in(cluster, login, answer):
    with pytest.raises(psycopg2.OperationalError, match=answer):
        select(cluster, **login)


def test_no_file_has_the_password(cluster):
    contents = [file.read_bytes() for file in cluster.folder.rglob("*") if file.is_file()]

    assert any(b"SCRAM-SHA-256$" in content for content in contents)
    assert not any(PASSWORD.encode() in content for content in contents)


def test_another_password_is_refused_by_its_name(folder):
    Postgres(folder, PASSWORD).create()
    with pytest.raises(ValueError, match="PGPASSWORD is not the password that"), Postgres(folder, "another").running():
        pass


@pytest.mark.parametrize("seconds", [0.2, 0.6, 1.2, 2.0])
def test_a_creation_that_is_killed_leaves_nothing_to_trip_over(folder, seconds):
    process = subprocess.Popen([sys.executable, "-c", CREATE, folder, PASSWORD])
    while not list(folder.parent.iterdir()):  # importing takes its time
        time.sleep(0.01)
    time.sleep(seconds)
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    psutil.wait_procs(family, timeout=30)  # they are told of it by the system, and need a moment

    made = Postgres(folder, PASSWORD)
    made.create()
    with made.running():
        select(made)
    assert [path.name for path in folder.parent.iterdir()] == ["postgres"]


def test_a_creation_for_which_there_is_no_room_says_so_and_leaves_nothing(folder):
    create = [sys.executable, "-c", CREATE, folder, PASSWORD]
    done = subprocess.run(["prlimit", "--fsize=1000000", *create], capture_output=True, text=True)

    assert "could not write to file" in done.stderr.splitlines()[-1]
    assert done.stderr.splitlines()[-1].endswith("File too large")
    assert list(folder.parent.iterdir()) == []


def test_a_password_of_two_lines_is_refused(folder):
    with pytest.raises(ValueError, match="PGPASSWORD has more than one line"):
        Postgres(folder, "two\nlines")


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs all tests of this file as one")
def test_an_ordinary_user_runs_it_as_himself(folder):
    shutil.chown(folder.parent, "nobody", "nogroup")
    done = subprocess.run([*NOBODY, *READING, sys.executable, "-c", RUN, folder], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "nobody"
