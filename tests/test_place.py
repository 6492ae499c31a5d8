import subprocess

import pytest

from pipeline import place


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """An empty git repository, which is the current folder."""
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q"], check=True)
    return tmp_path


def test_a_git_repository_will_do_and_so_will_a_folder_in_one(repository, monkeypatch):
    place.check()
    (repository / "project").mkdir()
    monkeypatch.chdir(repository / "project")
    place.check()


def test_without_git_dvc_must_know_of_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    subprocess.run(["dvc", "init", "-q", "--no-scm"], check=True)
    place.check()

    subprocess.run(["dvc", "config", "core.no_scm", "false"], check=True)
    with pytest.raises(ValueError, match=r"is not a git repository, .*`git init`"):
        place.check()


def test_the_folder_that_cannot_be_written_is_named(repository, monkeypatch):
    (repository / "outputs").mkdir()
    monkeypatch.setattr(place.os, "access", lambda name, mode: name != "outputs")  # root may write anywhere

    with pytest.raises(ValueError, match=rf"^{repository}/outputs can't be written by you: `sudo chown"):
        place.check()


def test_a_disk_without_room_is_refused(repository, monkeypatch):
    monkeypatch.setattr(place, "LEAST_ROOM", 1 << 60)

    with pytest.raises(ValueError, match=rf"^{repository} has \d+ MiB of free disk left"):
        place.check()
