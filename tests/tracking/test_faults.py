"""Whatever happens to the store, training succeeds, nothing waits for long, and every model gets its one whole run."""

import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pipeline.tracking import journal

pytestmark = pytest.mark.slow

EPOCHS = 6
#: When the fault begins -> after which epoch, None for before the stage.
MOMENTS = {"before the training": None, "during training": 3, "at the end of training": EPOCHS}
#: Root ignores permissions unless it gives this up.
WITHOUT_OVERRIDE = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"]


@contextmanager
def stopped(server) -> Iterator[None]:
    server.stop()
    yield
    server.start()


@contextmanager
def hung(server) -> Iterator[None]:
    server.send(signal.SIGSTOP)
    yield
    server.send(signal.SIGCONT)


@contextmanager
def failing(server) -> Iterator[None]:
    """Every answer about an experiment is 500."""
    rename(server.database, "experiments", "away")
    yield
    rename(server.database, "away", "experiments")


@contextmanager
def locked(database: Path) -> Iterator[None]:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def read_only(database: Path) -> Iterator[None]:
    paths = [path for path in [database.parent, *database.parent.rglob("*")]]
    modes = [path.stat().st_mode for path in paths]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield
    for path, mode in zip(paths, modes, strict=True):
        path.chmod(mode)


def rename(database: Path, table: str, name: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA legacy_alter_table = ON")  # the other tables go on referring to the old name
        connection.execute(f"ALTER TABLE {table} RENAME TO {name}")


def assert_is_not_held_up(told) -> None:
    assert told["entered"] < 1
    assert told["slowest"] < 0.5
    assert told["seconds"] < journal.PATIENCE + 2


def assert_warns_once(told) -> None:
    assert told["stderr"].count("\n") == told["stderr"].count("warning: ") == 1, told["stderr"]
    assert "publish it with `make track`" in told["stderr"]


def assert_outage_costs_one_warning(workspace, fault, key, after) -> None:
    if after is None:
        with fault:
            told = workspace.stage("train", key, epochs=EPOCHS)
    else:
        process = workspace.start("train", key, epochs=EPOCHS, gates=[after])
        workspace.wait_for_epoch(key, after)
        with fault:
            workspace.open_gate(after)
            told = workspace.end(process)
    assert_warns_once(told)
    assert_is_not_held_up(told)
    done = workspace.track()
    assert (done.returncode, done.stderr) == (0, "")
    assert workspace.is_complete(key, EPOCHS)


@pytest.mark.parametrize("after", MOMENTS.values(), ids=MOMENTS)
@pytest.mark.parametrize("fault", [stopped, hung, failing])
def test_a_server_that_fails_costs_one_warning_and_nothing_is_lost(fresh, server, key, fault, after):
    fresh.env["MLFLOW_TRACKING_URI"] = server.uri

    assert_outage_costs_one_warning(fresh, fault(server), key, after)


@pytest.mark.parametrize("after", MOMENTS.values(), ids=MOMENTS)
def test_a_database_that_another_process_locks_costs_one_warning_and_nothing_is_lost(stored, key, after):
    assert_outage_costs_one_warning(stored, locked(stored.database), key, after)


@pytest.mark.parametrize("after", MOMENTS.values(), ids=MOMENTS)
def test_a_read_only_store_costs_one_warning_and_nothing_is_lost(stored, key, after):
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root ignores permissions, and setpriv is needed to change that")
        stored.wrapper = WITHOUT_OVERRIDE

    assert_outage_costs_one_warning(stored, read_only(stored.database), key, after)


def test_a_server_that_is_restarted_during_training_gets_everything_without_a_word(fresh, server, key, until):
    fresh.env["MLFLOW_TRACKING_URI"] = server.uri
    process = fresh.start("train", key, epochs=EPOCHS, gates=[2, 4])
    fresh.wait_for_epoch(key, 2)
    server.stop()
    fresh.open_gate(2)
    until(lambda: list((fresh.root / ".pipeline/tracking").glob("*.problem")))

    server.start()
    fresh.wait_for_epoch(key, 4)
    fresh.open_gate(4)
    told = fresh.end(process)

    assert told["stderr"] == ""
    assert_is_not_held_up(told)
    assert fresh.is_complete(key, EPOCHS)
