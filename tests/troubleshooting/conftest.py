"""The project as a new user has it, a shell in it, and the row of docs/troubleshooting.md that a test is for."""

import subprocess
import time
from pathlib import Path

import pytest
from project import LINEAR, Workspace, copy_project
from troubleshooting import Row, rows

#: A DAG that takes no time, for mistakes that have to do with DVC, git and the folder.
QUICK = "stages: {check: {cmd: cp params.yaml data/checked.txt, deps: [params.yaml], outs: [data/checked.txt]}}\n"


class Shell:
    """Runs what a user types at the project's root."""

    def __init__(self, project: Workspace, **environment: str) -> None:
        self.project = project
        # Messages in English; the code of this copy, wherever the environment was installed from.
        self.environment = {"LC_ALL": "C.UTF-8", "PYTHONPATH": str(project.root / "src"), **environment}

    def run(self, command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return self.project.run("bash", "-ec", command, check=False, **{**self.environment, **environment})

    def fails(self, command: str, **environment: str) -> str:
        """What a command prints that must fail."""
        done = self.run(command, **environment)
        assert done.returncode, done.stdout
        return done.stdout + done.stderr

    def works(self, command: str, **environment: str) -> str:
        """What a command prints that must succeed."""
        done = self.run(command, **environment)
        assert not done.returncode, done.stdout + done.stderr
        return done.stdout + done.stderr

    def start(self, command: str, **environment: str) -> "subprocess.Popen[str]":
        """Start a command in a session of its own; what it prints is in its ``stdout``."""
        given = {**self.environment, **environment}
        return self.project.start("bash", "-ec", f"exec {command}", stderr=subprocess.STDOUT, **given)


def installed(root: Path) -> None:
    """Let make take the environment for installed, which is that of the tests."""
    (root / ".venv").mkdir()
    for stamp in ("python", "runtime"):
        (root / f".venv/{stamp}.stamp").touch()


@pytest.fixture
def row(request) -> Row:
    """The row whose mistake is the test's name."""
    return {row.test: row for row in rows()}[request.function.__name__]


@pytest.fixture(scope="session")
def fresh(tmp_path_factory) -> Workspace:
    """A project in which nothing has run; don't change it, copy it."""
    project = copy_project(tmp_path_factory.mktemp("fresh"), LINEAR)
    installed(project.root)
    return project


@pytest.fixture
def project(fresh, tmp_path) -> Workspace:
    """A project of the test's own."""
    return fresh.copy(tmp_path / "project")


@pytest.fixture
def quick(project) -> Workspace:
    """The same project with the quick DAG, up to date and committed."""
    (project.root / "dvc.yaml").write_text(QUICK, encoding="utf-8")
    project.run("dvc", "repro")
    project.run("git", "add", "-A")
    project.run("git", "commit", "-qm", "quick")
    return project


@pytest.fixture
def shell(project) -> Shell:
    return Shell(project)


@pytest.fixture
def until():
    """Wait for a condition."""

    def until(condition):
        deadline = time.monotonic() + 120
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    return until


@pytest.fixture(scope="session")
def shell_in():
    """Make a shell in another project, with variables of its own."""
    return Shell
