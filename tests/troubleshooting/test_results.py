"""Looking at runs, and using models."""

import os
import re
import signal
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from serving import free_port, served

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(fresh, tmp_path_factory):
    """A project with a model and its run in MLflow; don't change it, copy it."""
    project = fresh.copy(tmp_path_factory.mktemp("finished") / "project")
    project.run("dvc", "repro", PIPELINE_TRACKING="on")
    project.run("python", "-m", "pipeline.tracking.track", PYTHONPATH="src", PIPELINE_TRACKING="on")
    return project


@pytest.fixture
def project(finished, tmp_path):
    return finished.copy(tmp_path / "project")


@pytest.fixture
def shell(shell_in, project):
    return shell_in(project, PIPELINE_TRACKING="on")


@pytest.fixture
def taken():
    """A port on which something listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield str(listening.getsockname()[1])


def num_runs(project):
    with closing(sqlite3.connect(project.root / "mlruns/mlflow.db")) as connection:
        return connection.execute("SELECT count(*) FROM runs").fetchone()[0]


def test_a_port_that_is_taken_for_the_pages_of_mlflow(row, project, shell, taken):
    assert row.is_in(shell.fails(f"make ui PORT={taken}").replace(taken, "5000"))
    passed_on = shell.works(row.helps[0].replace("make ", "make --dry-run "))
    assert 'python -m pipeline.tracking.ui --port "5002"' in passed_on
    with served(project.root, project.environment) as (_, links):  # by that command, on a free port
        assert links.keys() == {"classification/digits"}


def test_a_port_that_is_taken_for_a_model(row, shell, taken):
    assert row.is_in(shell.fails(f"make serve RUN=first PORT={taken}").replace(taken, "5001"))
    # Which gets as far as there being no champion.
    assert "has no champion" in shell.fails(row.helps[0].replace("5003", str(free_port())))


def test_a_model_without_a_champion(row, project, shell):
    port = free_port()
    assert row.is_in(shell.fails(f"make serve RUN=first PORT={port}"))
    entry, command = row.helps
    assert row.is_in(shell.works(command), 1)
    project.replace("params.yaml", "    export:", f"    {entry}\n    export:")
    assert "is champion" in shell.works(command)
    process = shell.start(f"make serve RUN=first PORT={port}")
    for line in process.stdout:
        if f"http://127.0.0.1:{port}/invocations" in line:
            break
    os.killpg(process.pid, signal.SIGTERM)
    printed, _ = process.communicate()
    assert "/invocations" in line, printed


def test_a_database_of_a_newer_version_of_mlflow(row, project, shell):
    with closing(sqlite3.connect(project.root / "mlruns/mlflow.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'of a later one'")

    assert row.is_in(shell.fails("make track"))
    aside, track = row.helps
    shell.works(f"{aside} && {track}")
    assert num_runs(project) == 1


def test_a_damaged_database(row, project, shell):
    (project.root / "mlruns/mlflow.db").write_bytes(bytes(range(256)) * 100)

    assert row.is_in(shell.fails("make track"))
    aside, track = row.helps
    shell.works(f"{aside} && {track}")
    assert num_runs(project) == 1


def test_a_tracking_server_that_does_not_answer(row, shell):
    server = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}

    assert row.is_in(shell.fails("make track", **server))
    track, without = row.helps
    shell.works(f"{without} && {track}", **server)


@pytest.fixture
def picture(project):
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(project.root / "picture.png")
    return "picture.png"


def test_a_model_that_predict_does_not_find(row, shell, picture):
    printed = shell.fails(f"python -m pipeline.predict frist {picture}")

    assert row.is_in(printed)
    [name] = re.findall("did you mean '(.*?)'", printed)
    assert shell.works(f"python -m pipeline.predict {name} {picture}").startswith(f"{picture}\t")


def test_a_picture_that_predict_does_not_find(row, shell, picture, project):
    assert row.is_in(shell.fails("python -m pipeline.predict first nowhere.png"))
    assert Path(project.root, picture).exists()
    assert shell.works(f"cd outputs && python -m pipeline.predict first/model.ts ../{picture}").startswith("../")
