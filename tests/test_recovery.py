import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from dvc.lock import make_lock  # type: ignore[import-untyped]

from pipeline import recovery

AS_SOMEBODY = ("git", "-c", "user.name=T", "-c", "user.email=t@localhost")
DVC_YAML = """\
stages:
  first: {cmd: date +%N > a, deps: [source], outs: [a]}
  second: {cmd: cp a b, deps: [a], outs: [b]}
"""


def call(*command: str, check: bool = True) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DVC repository with two finished stages, of which git knows the first."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    call("git", "init", "-q")
    call("dvc", "init", "-q")
    Path("dvc.yaml").write_text(DVC_YAML, encoding="utf-8")
    Path("source").touch()
    call("dvc", "repro", "-q", "first")
    call("git", "add", "-A")
    call(*AS_SOMEBODY, "commit", "-qm", "first")
    call("dvc", "repro", "-q")
    return tmp_path


def test_dvc_is_stopped_by_a_torn_rwlock_for_good_and_recovery_helps(repository: Path) -> None:
    Path(".dvc/tmp/rwlock").write_text("", encoding="utf-8")
    Path("b").unlink()

    assert "JSON structure is corrupted" in call("dvc", "repro", check=False)
    (said,) = recovery.recover()

    assert said.startswith(".dvc/tmp/rwlock was torn")
    assert "is cached" in call("dvc", "repro")


@pytest.mark.parametrize("part", [0.3, 0.55, 0.8, 0.97])
def test_a_torn_lock_costs_no_work(repository: Path, part: float) -> None:
    whole = Path("dvc.lock").read_bytes()
    Path("dvc.lock").write_bytes(whole[: int(part * len(whole))])

    recovery.recover()
    said = call("dvc", "repro")

    assert "Running stage" not in said
    # A lock cut off between two lines may lack a size, which DVC doesn't look at.
    assert re.findall("md5: .*", Path("dvc.lock").read_text(encoding="utf-8")) == re.findall("md5: .*", whole.decode())


def test_a_lock_that_git_does_not_know_is_removed(repository: Path) -> None:
    call("git", "rm", "-q", "--cached", "dvc.lock")
    call(*AS_SOMEBODY, "commit", "-qm", "without")
    Path("dvc.lock").write_text("stages:\n  first:\n    cmd: [", encoding="utf-8")

    (said,) = recovery.recover()

    assert said.endswith("it is now .dvc/tmp/dvc.lock.torn")
    assert "Running stage" not in call("dvc", "repro")


def test_whole_files_are_left_alone(repository: Path) -> None:
    before = Path("dvc.lock").stat().st_mtime_ns

    assert recovery.recover() == []
    assert Path("dvc.lock").stat().st_mtime_ns == before


def test_a_merge_conflict_is_left_to_the_user(repository: Path) -> None:
    for branch in ("one", "two"):
        call("git", "checkout", "-qf", "-B", branch, "HEAD" if branch == "one" else "HEAD~1")
        Path("dvc.lock").write_text(f"schema: '2.0'\nstages: {{}} # {branch}\n", encoding="utf-8")
        call(*AS_SOMEBODY, "commit", "-qam", branch)
    assert "CONFLICT" in call(*AS_SOMEBODY, "merge", "one", check=False)
    before = Path("dvc.lock").read_bytes()

    with pytest.raises(ValueError, match="merge conflict"):
        recovery.recover()

    assert b"<<<<<<<" in before
    assert Path("dvc.lock").read_bytes() == before


def test_a_committed_merge_conflict_is_moved_away_and_costs_no_work(repository: Path) -> None:
    text = Path("dvc.lock").read_text(encoding="utf-8")
    Path("dvc.lock").write_text(f"{text}<<<<<<< HEAD\n=======\n>>>>>>> other\n", encoding="utf-8")
    call(*AS_SOMEBODY, "commit", "-qam", "conflict")

    (said,) = recovery.recover()

    assert said.endswith("it is now .dvc/tmp/dvc.lock.torn")
    assert "Running stage" not in call("dvc", "repro")


def test_a_running_stage_is_noticed_though_dvc_holds_no_lock_meanwhile(repository: Path) -> None:
    Path("dvc.yaml").write_text("stages: {slow: {cmd: touch started && sleep 60}}", encoding="utf-8")
    process = subprocess.Popen(["dvc", "repro"], start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        while not Path("started").exists():
            assert process.poll() is None
            time.sleep(0.05)
        Path(".dvc/tmp/rwlock").write_text("{", encoding="utf-8")
        with pytest.raises(ValueError, match="another DVC process is at work"):
            recovery.recover()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_nothing_is_touched_while_dvc_is_at_work(repository: Path) -> None:
    Path(".dvc/tmp/rwlock").write_text("{", encoding="utf-8")
    with make_lock(".dvc/tmp/lock"), pytest.raises(ValueError, match="another DVC process is at work"):
        recovery.recover()

    assert Path(".dvc/tmp/rwlock").read_text(encoding="utf-8") == "{"


def test_what_a_killed_dvc_was_copying_is_removed_and_nothing_else(repository: Path) -> None:
    # DVC itself makes the name; another version might make another.
    from dvc_objects.fs.utils import tmp_fname  # type: ignore[import-untyped]

    folder = Path("outputs/lenet/plots")
    folder.mkdir(parents=True)
    left, kept = folder / tmp_fname(), folder / ".model.ts.123.partial"
    left.touch()
    kept.touch()

    with make_lock(".dvc/tmp/lock"):
        assert recovery.recover() == []
    assert left.exists()
    assert recovery.recover() == [f"{left} is removed: DVC was killed while it copied an output"]
    assert not left.exists() and kept.exists()
    assert recovery.recover() == []
