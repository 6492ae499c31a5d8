"""The project as a new user has it, a shell in it, and the row of docs/troubleshooting.md that a test is for."""

import subprocess
import time

import pytest
from project import LINEAR, Workspace, copy_project
from troubleshooting import Row, rows
from user import User, stamp

#: A DAG that takes no time, for mistakes that have to do with DVC, git and the folder.
QUICK = "stages: {check: {cmd: cp params.yaml data/checked.txt, deps: [params.yaml], outs: [data/checked.txt]}}\n"


class Shell(User):
    """A user whose environment is that of the tests: what is typed must fail, or must work."""

    first = ""

    def __init__(self, project: Workspace, **environment: str) -> None:
        # Messages in English; the code of this copy, wherever the environment was installed from.
        given = {"LC_ALL": "C.UTF-8", "PYTHONPATH": str(project.root / "src"), **environment}
        super().__init__(project, **given)

    def fails(self, line: str, **environment: str) -> str:
        """What a line prints that must fail."""
        done = self.types(line, **environment)
        assert done.status, done.said
        return done.said

    def works(self, line: str, **environment: str) -> str:
        """What a line prints that must succeed."""
        done = self.types(line, **environment)
        assert not done.status, done.said
        return done.said

    def start(self, command: str, **environment: str) -> "subprocess.Popen[str]":
        """Start a command in a session of its own; what it prints is in its ``stdout``."""
        given = {**self.environment, **environment}
        return self.workspace.start("bash", "-ec", f"exec {command}", stderr=subprocess.STDOUT, **given)


@pytest.fixture
def row(request) -> Row:
    """The row whose mistake is the test's name."""
    return {row.test: row for row in rows()}[request.function.__name__]


@pytest.fixture(scope="session")
def fresh(tmp_path_factory) -> Workspace:
    """A project in which nothing has run; don't change it, copy it."""
    project = copy_project(tmp_path_factory.mktemp("fresh"), LINEAR)
    stamp(project.root / ".venv")
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
