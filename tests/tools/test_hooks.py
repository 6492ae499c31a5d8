"""With `make hooks` git refuses what `make lint` would complain of, and what DVC keeps, and says why."""

from functools import partial

import pytest
from project import LINEAR, copy_project

pytestmark = pytest.mark.slow

MODULE = '"""Half."""\n\n\ndef half(number: float) -> float:\n    """Divide by two."""\n    return number / 2\n'


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    workspace = copy_project(tmp_path_factory.mktemp("hooks") / "project", LINEAR)
    workspace.run("make", "-o", ".venv/dev.stamp", "hooks")  # without installing anything
    return workspace


def commit(checkout, file, content, **environment):
    """Try to commit a new content of a file, an ignored one too; returns whether git refused, and what it said."""
    path = checkout.root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode())
    checkout.run("git", "add", "--force", file)
    own = {"PRE_COMMIT_HOME": str(checkout.root.parent / "cache"), **environment}
    done = checkout.run("git", "commit", "-m", "change", check=False, **own)
    refused = checkout.run("git", "status", "--porcelain", "--", file).stdout != ""
    assert refused == (done.returncode != 0)
    return refused, done.stdout + done.stderr


@pytest.fixture
def attempt(checkout):
    """:func:`commit`, after which the file is as it was."""
    start = checkout.run("git", "rev-parse", "HEAD").stdout.strip()
    yield partial(commit, checkout)
    checkout.run("git", "reset", "--hard", start)


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("src/pipeline/half.py", MODULE.replace("number / 2", "number/2"), "1 file would be reformatted"),
        ("src/pipeline/half.py", MODULE.replace("\n\n\n", "\n\nimport os\n\n\n", 1), "F401"),
        ("src/pipeline/half.py", MODULE.replace("float", "Tensor"), "half takes or returns arrays"),
        ("params.yaml", LINEAR.replace("lr: 0.05", "lr: -1"), "runs.first.train.optimizer.lr: -1 is not allowed"),
        ("outputs/first/model.ts", "weights", "made by a stage"),
        ("data/notes.bin", "x" * (1 << 20) + "x", "data/notes.bin"),
    ],
    ids=["format", "lint", "docstring", "params", "output", "size"],
)
def test_a_fault_is_refused_with_its_reason(attempt, file, content, reason):
    refused, said = attempt(file, content, SKIP="mypy")
    assert refused
    assert reason in said


def test_a_mended_file_is_accepted_and_a_wrong_type_is_not(attempt):
    assert attempt("src/pipeline/half.py", MODULE.replace("number / 2", "number/2"), SKIP="mypy")[0]
    refused, said = attempt("src/pipeline/half.py", MODULE)  # mypy reads all of the project: once
    assert not refused, said
    refused, said = attempt("src/pipeline/half.py", MODULE.replace("number / 2", "str(number)"))
    assert refused
    assert "Incompatible return value type" in said
