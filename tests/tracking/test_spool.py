import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.tracking import projection, spool
from pipeline.tracking.journal import as_text, without_password

START = {"kind": "start", "at": 1, "stage": "train", "record": {"run": "lenet"}, "tags": {}}


@pytest.fixture
def journal(tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    (tmp_path / spool.FOLDER).mkdir(parents=True)
    file = spool.new("ab" * 32, "train")
    file.write_text(json.dumps(START) + "\n" + '{"kind": "metr')
    return file


def test_a_line_that_a_killed_stage_left_half_written_is_no_entry(journal):
    assert spool.read(journal) == [START]


def test_a_journal_is_running_while_it_is_locked_and_killed_without_an_end(journal):
    with journal.open() as file:
        assert spool.lock(file)
        assert spool.alive(journal)
        assert projection.from_journal(journal).status == "RUNNING"
    assert not spool.alive(journal)
    run = projection.from_journal(journal)
    assert (run.status, run.final) == ("KILLED", True)


def test_nothing_is_projected_from_a_journal_without_a_whole_line(journal):
    for content in (b"", b'{"kind": "start", "at', '{"record": {"run": "é'.encode()[:-1], bytes(100)):
        journal.write_bytes(content)
        assert projection.from_journal(journal) is None


def test_those_that_look_at_once_do_not_take_each_other_for_the_stage(journal):
    with ThreadPoolExecutor(4) as pool:
        assert not any(pool.map(spool.alive, [journal] * 4000))


def test_journals_are_found_by_model_and_store(journal):
    assert spool.models() == spool.models(spool.store()) == {"ab" * 32: [journal]}
    assert spool.models("another") == {}


def test_artifacts_are_kept_when_the_outputs_are_gone(journal, tmp_path):
    folder = tmp_path / "plots"
    (folder / "curves").mkdir(parents=True)
    (folder / "curves" / "roc.csv").write_text("x,y\n")
    spool.keep(folder, journal, folder.relative_to(tmp_path))
    (folder / "curves" / "roc.csv").unlink()

    assert (spool.files(journal) / "plots" / "curves" / "roc.csv").read_text() == "x,y\n"
    spool.delete(journal)
    assert list((tmp_path / spool.FOLDER).iterdir()) == []


@pytest.mark.parametrize(
    ("value", "text"), [("adam", "adam"), (0.05, "0.05"), (None, "null"), ([1, True], "[1, true]")]
)
def test_values_read_as_in_yaml(value, text):
    assert as_text(value) == text


@pytest.mark.parametrize("login", ["me", "me:secret", "me:sec@ret", "me:sec/ret", "me:sec ret"])
def test_passwords_are_struck_out(monkeypatch, login):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://{login}@host")
    assert without_password(f"GET http://{login}@host/x failed") == "GET http://***@host/x failed"


def test_passwords_of_other_addresses_are_struck_out(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert without_password("GET https://me:secret@host/x failed") == "GET https://***@host/x failed"
    assert without_password("no model lenet@champion") == "no model lenet@champion"


def test_a_store_is_the_same_for_whoever_logs_in_and_its_name_tells_of_no_password(journal, monkeypatch):
    names = set()
    for address in ("http://host:1", "http://me@host:1", "http://me:secret@host:1", "http://you:sec@ret@host:1"):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        assert spool.place() == "http://host:1"
        names.add(spool.store())
    assert len(names) == 1

    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////srv/a@b/runs.db")
    assert spool.place() == "sqlite:////srv/a@b/runs.db"


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("", "sqlite:///{root}/mlruns/mlflow.db"),
        ("sqlite:///mine/runs.db", "sqlite:///{root}/mine/runs.db"),
        ("sqlite:////srv/runs.db", "sqlite:////srv/runs.db"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
    ],
)
def test_a_relative_database_is_the_same_one_in_the_copies_that_dvc_works_in(
    journal, tmp_path, monkeypatch, uri, address
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    (tmp_path / "copy").mkdir()
    monkeypatch.chdir(tmp_path / "copy")  # DVC_ROOT is the folder above

    assert spool.address() == address.format(root=tmp_path)
