import os
from pathlib import Path

import pytest

from pipeline.watching import leftovers

MD5 = "99914b932bd37a50b983c5e7c90ae93b"  # of {}


@pytest.fixture
def checkpoints(tmp_path, monkeypatch):
    """Those of a finished training."""
    monkeypatch.chdir(tmp_path)
    folder = leftovers.CHECKPOINTS / "lenet" / "key"
    folder.mkdir(parents=True)
    (folder / "000000000007-x.pt").touch()
    Path("record.json").write_text("{}")
    leftovers.mark(folder, Path("record.json"))
    os.utime(folder / leftovers.MARK, (100, 100))
    return folder


def record(md5, time):
    leftovers.DVC_LOCK.write_text(f"stages: {md5}")
    os.utime(leftovers.DVC_LOCK, (time, time))


def test_recorded_trainings_lose_their_checkpoints(checkpoints):
    record(MD5, 101)
    leftovers.remove()
    assert not checkpoints.parent.exists()


@pytest.mark.parametrize(("md5", "time"), [("f" * 32, 101), (MD5, 99)])
def test_a_training_that_dvc_has_not_recorded_keeps_them(checkpoints, md5, time):
    record(md5, time)
    leftovers.remove()
    assert len(list(checkpoints.iterdir())) == 2


def test_without_a_lock_they_stay(checkpoints):
    leftovers.remove()
    assert checkpoints.exists()


def test_an_unfinished_training_keeps_them(checkpoints):
    record(MD5, 101)
    (checkpoints / leftovers.MARK).unlink()
    leftovers.remove()
    assert checkpoints.exists()


def test_checkpoints_of_other_parameters_stay(checkpoints):
    (checkpoints.with_name("other") / "1.pt").parent.mkdir()
    record(MD5, 101)
    leftovers.remove()
    assert list(Path(checkpoints.parent).iterdir()) == [checkpoints.with_name("other")]
