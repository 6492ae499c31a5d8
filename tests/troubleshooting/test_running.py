"""What happens while stages run."""

import os
import shutil
import signal
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

DRIVER = Path(__file__).with_name("old_driver.c")
WAITS = "touch started && until test -e go_on; do sleep 0.05; done"
#: A stage that waits while it uses a file.
SLOW = """\
import time
from pathlib import Path

from pipeline.core import stage


def main(target):
    text = Path("source.txt").read_text()
    Path("started").touch()
    while not Path("go_on").exists():
        time.sleep(0.01)
    Path(target).write_text(text)


stage.run(main)
"""


def wait_for(file, process, until):
    until(lambda: file.exists() or process.poll() is not None)
    assert process.poll() is None, process.communicate()


def test_a_gpu_that_is_not_there(row, quick, shell):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert row.is_in(shell.fails("make repro", PIPELINE_DEVICE="cuda"))
    shell.works(f"{row.helps[0]} && make repro", PIPELINE_DEVICE="cuda")


@pytest.mark.skipif(not shutil.which("gcc"), reason="gcc builds the driver")
@pytest.mark.skipif("+cpu" in version("torch"), reason="this PyTorch asks for no driver")
def test_a_driver_too_old_for_pytorch(row, project, shell, tmp_path):
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", tmp_path / "libcuda.so.1", DRIVER], check=True)
    command, driver = "python -m pipeline.checking --machine", {"LD_LIBRARY_PATH": str(tmp_path)}

    assert row.is_in(shell.works(command, PIPELINE_DEVICE="cpu", **driver))
    assert "PIPELINE_DEVICE=cuda is not available" in shell.fails(f"{row.helps[0]} && {command}", **driver)


def test_ctrl_c_while_it_trains(row, project, shell):
    project.replace("params.yaml", "epochs: 2", "epochs: 300")
    # A checkpoint after every step makes the rest take far longer than the signal.
    process = shell.start("dvc repro train@first", PIPELINE_CHECKPOINT_SECONDS="0")
    for line in process.stdout:
        if "epoch 1/" in line:
            break
    os.killpg(process.pid, signal.SIGINT)
    printed, _ = process.communicate()

    assert process.returncode and row.is_in(printed)
    goes_on = shell.works(f"{row.helps[0]} train@first")
    assert "epoch 300/300" in goes_on and "epoch 1/" not in goes_on


def test_a_killed_dvc_that_was_writing_its_locks(row, quick, shell):
    (quick.root / ".dvc/tmp/rwlock").write_text("{", encoding="utf-8")

    assert row.is_in(shell.fails("dvc repro"))
    shell.works(row.helps[0])


def test_a_killed_dvc_that_was_writing_dvc_lock(row, quick, shell):
    lock = quick.root / "dvc.lock"
    whole = lock.read_text(encoding="utf-8")
    lock.write_text(whole[: whole.rindex("md5:") + 2], encoding="utf-8")

    assert row.is_in(shell.fails("dvc repro"))
    shell.works(row.helps[0])
    assert lock.read_text(encoding="utf-8") == whole


def test_a_merge_conflict_in_dvc_lock(row, quick, shell):
    for number, branch in enumerate(("other", "main")):
        shell.works(f"git checkout -q {'-b other' if branch == 'other' else branch}")
        quick.replace("params.yaml", "seed: 1", f"seed: {number + 2}")
        shell.works("dvc repro && git add dvc.lock && git commit -qm lock && git checkout -q params.yaml")
    shell.fails("git merge other")

    assert row.is_in(shell.fails("make repro"))
    for command in row.helps:
        shell.works(command)
    shell.works("git commit -qm merged && dvc status --quiet")


def test_two_dvc_repro_at_once(row, quick, shell, until):
    (quick.root / "dvc.yaml").write_text(f"stages: {{slow: {{cmd: '{WAITS}', outs: [go_on]}}}}\n", encoding="utf-8")
    first = shell.start("dvc repro")
    wait_for(quick.root / "started", first, until)

    assert row.is_in(shell.fails("dvc repro"))
    (quick.root / "go_on").touch()
    printed, _ = first.communicate()
    assert first.returncode == 0, printed
    shell.works(row.helps[0])


def test_a_file_edited_while_a_stage_used_it(row, quick, shell, until):
    (quick.root / "stages/slow.py").write_text(SLOW, encoding="utf-8")
    (quick.root / "source.txt").write_text("old", encoding="utf-8")
    stage = "{cmd: python stages/slow.py out.txt, deps: [source.txt], outs: [out.txt]}"
    (quick.root / "dvc.yaml").write_text(f"stages: {{slow: {stage}}}\n", encoding="utf-8")
    process = shell.start("dvc repro")
    wait_for(quick.root / "started", process, until)
    (quick.root / "source.txt").write_text("new", encoding="utf-8")
    (quick.root / "go_on").touch()
    printed, _ = process.communicate()

    assert process.returncode and row.is_in(printed)
    shell.works(row.helps[0])
    assert (quick.root / "out.txt").read_text(encoding="utf-8") == "new"
