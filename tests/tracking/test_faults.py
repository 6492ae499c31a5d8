"""Whatever happens to the store, training succeeds, nothing waits for long, and every model gets its one whole run."""

import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pipeline.tracking import journal

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
EPOCHS = 6
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
    paths = [database.parent, *database.parent.rglob("*")]
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


def assert_track_completes(workspace, *keys) -> None:
    done = workspace.track()
    assert (done.returncode, done.stderr) == (0, "")
    for key in keys:
        workspace.assert_complete(key, EPOCHS)


def endure(workspace, other, key, fault) -> None:
    """Let a fault begin before a training, during one and at the end of one, and last until all have ended."""
    before, during, end = (f"{letter}{key[1:]}" for letter in "abc")
    running = {during: workspace.start("train", during, epochs=EPOCHS, gates=[EPOCHS // 2])}
    running[end] = workspace.start("train", end, epochs=EPOCHS, gates=[EPOCHS])
    workspace.wait_for_epoch(during, EPOCHS // 2)
    workspace.wait_for_epoch(end, EPOCHS)
    with fault:
        running[before] = other.start("train", before, epochs=EPOCHS)
        workspace.open_gate(EPOCHS // 2)
        workspace.open_gate(EPOCHS)
        told = [workspace.end(process) for process in running.values()]
    for one in told:
        assert_warns_once(one)
        assert_is_not_held_up(one)
    assert_track_completes(workspace, during, end)
    assert_track_completes(other, before)


@pytest.fixture
def other(fresh) -> Iterator:
    """Another folder than ``fresh``, with a publisher of its own."""
    workspace = type(fresh)(fresh.root / "other")
    workspace.root.mkdir()
    yield workspace
    workspace.close()


@pytest.mark.parametrize("fault", [stopped, hung, failing])
def test_a_server_that_is_of_no_use_costs_one_warning_and_nothing_is_lost(fresh, other, server, key, fault):
    fresh.env["MLFLOW_TRACKING_URI"] = other.env["MLFLOW_TRACKING_URI"] = server.uri

    endure(fresh, other, key, fault(server))


@pytest.mark.parametrize("fault", [locked, read_only])
def test_a_database_that_is_of_no_use_costs_one_warning_and_nothing_is_lost(stored, other, key, fault):
    other.env["MLFLOW_TRACKING_URI"] = stored.uri
    if fault is read_only and os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root ignores permissions, and setpriv is needed to change that")
        stored.wrapper = other.wrapper = WITHOUT_OVERRIDE

    endure(stored, other, key, fault(stored.database))


def test_a_server_that_is_restarted_during_training_gets_everything_without_a_word(fresh, server, key, until):
    fresh.env["MLFLOW_TRACKING_URI"] = server.uri
    process = fresh.start("train", key, epochs=EPOCHS, gates=[2, 4])
    fresh.wait_for_epoch(key, 2)
    server.stop()
    fresh.open_gate(2)
    until(lambda: list(fresh.spool.glob("*.problem")))

    server.start()
    fresh.wait_for_epoch(key, 4)
    fresh.open_gate(4)
    told = fresh.end(process)

    assert told["stderr"] == ""
    assert_is_not_held_up(told)
    fresh.assert_complete(key, EPOCHS)


def test_a_publisher_that_is_killed_costs_one_warning_and_nothing_is_lost(stored, key):
    process = stored.start("train", key, epochs=EPOCHS, gates=[3])
    stored.wait_for_epoch(key, 3)
    stored.kill_publishers()
    stored.open_gate(3)
    told = stored.end(process)

    assert_warns_once(told)
    assert_is_not_held_up(told)
    assert_track_completes(stored, key)


def test_make_repro_fails_until_the_next_stage_has_published_what_an_outage_left(stored, key, until):
    away = stored.database.parent.rename(stored.root / "away")
    stored.database.parent.write_text("where a folder should be")
    assert_warns_once(stored.stage("train", key, epochs=EPOCHS))
    stored.kill_publishers()  # else it might publish that itself
    done = stored.track()
    assert done.returncode == 1
    assert done.stderr.startswith("error: "), done.stderr

    stored.database.parent.unlink()
    away.rename(stored.database.parent)
    assert stored.stage("export", f"f{key[1:]}")["stderr"] == ""

    until(lambda: not stored.journals())
    stored.assert_complete(key, EPOCHS)


def test_make_repro_ends_with_the_exit_status_of_publishing():
    make = ["make", "--no-print-directory", "--dry-run", "--assume-old", "setup", "repro"]
    commands = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()

    modules = [command.removeprefix("python -m pipeline.") for command in commands[-3:]]
    assert modules == ["reproducing", "tracking.track", "summary --changes"]


def test_stages_that_write_to_one_database_at_once_lose_nothing(stored, key):
    workspaces = {f"{letter}{key[1:]}": type(stored)(stored.root / letter) for letter in "abcd"}
    for workspace in workspaces.values():
        workspace.root.mkdir()
        workspace.env["MLFLOW_TRACKING_URI"] = stored.uri
    try:
        # Each has a publisher of its own, so that only the database stands between them.
        running = [one.start("train", key, epochs=40, pause=0.2) for key, one in workspaces.items()]
        told = [stored.end(process) for process in running]

        assert [one["stderr"] for one in told] == [""] * 4
        for key, workspace in workspaces.items():
            workspace.assert_complete(key, 40)
    finally:
        for workspace in workspaces.values():
            workspace.close()
