"""A file edited during a stage: DVC takes the old result for the new file's, our stages fail and name the file."""

import subprocess
import time

import pytest
from project import Workspace

pytestmark = pytest.mark.slow

PLAIN = "stages: {copy: {cmd: python slow.py, deps: [data.txt], outs: [copied.txt]}}"
SLOW = """\
import time
from pathlib import Path
text = Path("data.txt").read_text()
Path("has_read").touch()
while not Path("go_on").exists():
    time.sleep(0.01)
Path("copied.txt").write_text(text)
"""


def wait_for(condition, process):
    deadline = time.monotonic() + 120
    while not condition():
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.01)


@pytest.fixture
def start(request):
    """Start a command in a workspace; it is killed with the test."""

    def start(workspace, *command, **environment):
        process = subprocess.Popen(
            command, cwd=workspace.root, env={**workspace.environment, **environment}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        request.addfinalizer(process.kill)
        return process

    return start


def test_plain_dvc_records_the_new_file_against_the_old_result(tmp_path, start):
    empty = Workspace(tmp_path)
    for name, text in {"dvc.yaml": PLAIN, "slow.py": SLOW, "data.txt": "old"}.items():
        (empty.root / name).write_text(text)
    empty.run("dvc", "init", "--no-scm", "-q")
    process = start(empty, "dvc", "repro")
    wait_for((empty.root / "has_read").exists, process)
    (empty.root / "data.txt").write_text("new")
    (empty.root / "go_on").touch()
    process.communicate()
    assert process.returncode == 0
    assert "up to date" in empty.run("dvc", "status").stdout  # treeverse/dvc#11058
    assert (empty.root / "copied.txt").read_text() == "old"


def test_a_stage_of_ours_fails_and_runs_again(workspace, start):
    text = workspace.params.read_text()
    workspace.params.write_text(text.replace("epochs: 2\n", "epochs: 20\n"))
    process = start(workspace, "dvc", "repro", "train@lenet", PIPELINE_CHECKPOINT_SECONDS="0")
    wait_for(lambda: [*(workspace.root / ".pipeline").glob("checkpoints/lenet/*/*.pt")], process)
    workspace.replace("src/pipeline/models/lenet.py", "class Model", "# a comment\nclass Model")
    workspace.replace("params.yaml", "lr: 0.01", "lr: 0.02")  # of another run
    error = process.communicate()[1]
    assert process.returncode
    assert "error: src/pipeline/models/lenet.py: changed while this stage was using it" in error
    assert "train@lenet" in workspace.run("dvc", "status", "train@lenet").stdout
    assert workspace.repro("train@lenet") == {"check", "train@lenet"}
    assert "up to date" in workspace.run("dvc", "status", "train@lenet").stdout
