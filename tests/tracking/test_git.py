import subprocess

import pytest

from pipeline.tracking import git


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    return tmp_path


def run(*arguments):
    name = ["-c", "user.name=n", "-c", "user.email=e"]
    return subprocess.run(["git", *name, *arguments], check=True, capture_output=True, text=True).stdout


def test_without_repository_or_commit_there_is_nothing_to_say(repository):
    assert git.commit() is None
    run("init")
    assert git.commit() is None


def test_the_diff_makes_the_working_tree_from_the_commit(repository):
    run("init")
    (repository / "params.yaml").write_text("seed: 1\n")
    (repository / "dvc.lock").write_text("schema: '2.0'\n")
    run("add", ".")
    run("commit", "-m", "first")
    (repository / "dvc.lock").write_text("stages: {}\n")
    clean = git.commit()
    assert clean == git.Commit(run("rev-parse", "HEAD").strip(), "")

    (repository / "params.yaml").write_text("seed: 2\n")
    (repository / "src").mkdir()
    (repository / "src" / "ü.py").write_text("new = 1\n")
    (repository / "secret.env").write_text("password")
    dirty = git.commit()

    assert "secret" not in dirty.diff
    (repository / "patch").write_text(dirty.diff)
    run("checkout", "params.yaml")
    (repository / "src" / "ü.py").unlink()
    run("apply", "patch")
    assert (repository / "params.yaml").read_text() == "seed: 2\n"
    assert (repository / "src" / "ü.py").read_text() == "new = 1\n"
