"""The same inputs give the same bytes, whoever runs them, where and when."""

import os

import pytest
from project import copy_project

pytestmark = pytest.mark.slow


def made(workspace):
    """Output -> its hash."""
    return {out["path"]: out["md5"] for stage in workspace.lock().values() for out in stage["outs"]}


def test_another_users_clone_gives_the_same_lock(reproduced, small_params, tmp_path):
    folder = tmp_path / "another place, für Ünïcode"
    home = tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    workspace = copy_project(folder, small_params)
    one_core = str(min(os.sched_getaffinity(0)))
    workspace.run(
        "taskset", "--cpu-list", one_core, "dvc", "repro",
        HOME=str(home), TZ="Pacific/Chatham", LC_ALL="C", OMP_NUM_THREADS="1",
        PIPELINE_TRACKING="on", PIPELINE_CHECKPOINT_SECONDS="0",
    )  # fmt: skip
    assert len(made(workspace)) > 25
    assert workspace.lock() == reproduced.lock()


@pytest.mark.parametrize(
    ("stage", "file", "old", "new", "output"),
    [
        (
            "evaluate@a",
            "src/pipeline/evaluation/run.py",
            'write_json(folder / "metrics.json", values)',
            'write_json(folder / "metrics.json", values | {"seconds": __import__("time").time()})',
            "outputs/a/metrics.json",
        ),
        (
            "train@a",
            "src/pipeline/training/run.py",
            'record["model_md5"] =',
            'record["run_id"] = __import__("uuid").uuid4().hex\n    record["model_md5"] =',
            "outputs/a/record.json",
        ),
        (
            "export@a",
            "src/pipeline/exporting/run.py",
            'write_json(folder / "export.json", exported)',
            'write_json(folder / "export.json", exported | {"folder": str(Path.cwd())})',
            "outputs/a/export.json",
        ),
    ],
)
def test_a_planted_fault_is_found(reproduced, tmp_path, stage, file, old, new, output):
    hashes = []
    for name in ("one", "two"):
        workspace = reproduced.copy(tmp_path / name)
        workspace.replace(file, old, new)
        assert stage in workspace.repro("--single-item", stage)
        hashes.append(made(workspace))
    assert {path for path in hashes[0] if hashes[0][path] != hashes[1][path]} == {output}
