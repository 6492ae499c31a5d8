"""The folder and the environment."""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from user import make_venv

pytestmark = pytest.mark.slow

PIP = "pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt"
#: Root without these can't write what belongs to another, as any other user.
AS_ANOTHER = "setpriv --bounding-set=-dac_override,-dac_read_search,-fowner"


def script(file: Path, line: str) -> None:
    file.write_text(f'#!/bin/sh\nexec {sys.executable} {line} "$@"\n', encoding="utf-8")
    file.chmod(0o755)


def test_a_python_that_is_too_old_or_too_new(row, shell, tmp_path):
    script(tmp_path / "python3.9", "-c 'import sys; sys.version_info = (3, 9, 0); exec(sys.argv[2])'")
    script(tmp_path / "python3.12", "")
    shell.works("rm -r .venv")

    assert row.is_in(shell.fails("make setup PYTHON=../python3.9"))
    # The rest would install PyTorch.
    shell.works(row.helps[0].replace("make setup", "make .venv/python.stamp"), PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert (shell.root / ".venv/bin/pip").exists()


def test_a_new_terminal_without_the_environment(row, shell, project, tmp_path):
    make_venv(tmp_path / "elsewhere")
    elsewhere = f"{tmp_path}/elsewhere/bin:{os.environ['PATH']}"
    make_venv(project.root / ".venv", project.root / "src", sysconfig.get_path("purelib"))
    command = "python -m pipeline.checking"

    assert row.is_in(shell.fails(command, PATH=elsewhere, PYTHONPATH=""))
    shell.works(f"{row.helps[0]} && {command}", PATH=elsewhere, PYTHONPATH="")


def test_a_moved_or_renamed_folder(row, shell, project, tmp_path):
    make_venv(project.root / ".venv", project.root / "src")
    project.root = project.root.rename(tmp_path / "renamed")

    assert row.is_in(shell.fails("make repro", PYTHONPATH=""))
    _, remove, setup = row.helps
    commands = shell.works(f"{remove} && {setup} --dry-run")
    assert "python3 -m venv .venv" in commands and PIP in commands


def test_a_zip_file_instead_of_a_clone(row, quick, shell):
    shutil.rmtree(quick.root / ".git")

    assert row.is_in(shell.fails("make repro"))
    shell.works(f"{row.helps[0]} && make repro")


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root gives files to others")
def test_a_folder_of_another_user_as_after_sudo(row, quick, shell):
    shell.works("chown -R nobody . && chmod -R go=rX .")

    assert row.is_in(shell.fails(f"{AS_ANOTHER} make repro"))
    shell.works(row.helps[0].removeprefix("sudo "), USER="root")
    shell.works(f"{AS_ANOTHER} make repro")


def test_a_full_disk(row, quick, shell_in, tmp_path, request):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("a small file system can't be mounted here")
    request.addfinalizer(lambda: subprocess.run(["umount", "--lazy", disk], check=True))
    full = quick.copy(disk / "project")
    shell = shell_in(full)
    # As of models that were trained with other parameters.
    unused = bytes(shutil.disk_usage(disk).free - (5 << 20))
    digest = hashlib.md5(unused, usedforsecurity=False).hexdigest()
    cached = full.root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]
    cached.parent.mkdir(parents=True)
    cached.write_bytes(unused)

    filler = full.root.parent / "filler"
    full.replace("params.yaml", "seed: 1", "seed: 2")
    filler.write_bytes(bytes(shutil.disk_usage(disk).free))
    assert row.is_in(shell.fails("dvc repro"))
    filler.unlink()

    assert row.is_in(shell.fails("make repro"), 1)
    collect, repro = row.helps
    shell.works(f"echo y | {collect}")
    shell.works(repro)


def test_a_command_in_a_subfolder(row, quick, shell):
    for number, command in enumerate(("make repro", "dvc repro", "python -m pipeline.checking")):
        assert row.is_in(shell.fails(f"cd src && {command}"), number)
    shell.works(f"cd src && {row.helps[0]} && make repro")


def test_a_library_of_another_version(row, project, shell):
    numpy = next(line for line in (project.root / "versions.txt").read_text().split() if line.startswith("numpy"))
    project.replace("versions.txt", numpy, "numpy==1.26.4")

    assert row.is_in(shell.fails("make repro"))
    assert PIP in shell.works(f"{row.helps[0]} --dry-run")
    assert PIP not in shell.works("make setup --dry-run")  # which takes the environment for complete
