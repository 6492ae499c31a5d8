"""Whatever is edited, `dvc status` marks the stages that were seen to read it and no others."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

from pipeline.core import params
from pipeline.records import flatten

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pygtrie"),  # DVC uses what pygtrie has deprecated
]

#: Which of these files a stage needs, the kind of its data set or its task decides, and DVC can't derive a list of
#: dependencies from a name. An edit makes the stages of every data set or run run again, which takes seconds and, as
#: long as they write the same bytes, nothing that depends on them.
BY_KIND = {
    "src/pipeline/downloading/": {"download"},
    "src/pipeline/preprocessing/": {"preprocess"},
    "src/pipeline/source/": {"download", "preprocess"},
    "src/pipeline/evaluation/": {"evaluate"},
    "src/pipeline/exporting/": {"export"},
    "src/pipeline/network/inputs.py": {"evaluate", "export"},
    "src/pipeline/network/layers.py": {"evaluate", "export"},
}

LENET = ("train@lenet", "evaluate@lenet", "export@lenet", "compare@gan")
EVALUATE = ("evaluate@c", "evaluate@lenet", "evaluate@text")
PREPROCESS = ("preprocess@digits", "preprocess@diabetes", "preprocess@surnames")


@pytest.fixture(scope="module")
def copied(reproduced, tmp_path_factory):
    """A reproduced workspace whose files may be edited, if each edit is undone."""
    return reproduced.copy(tmp_path_factory.mktemp("mutated") / "project")


@contextmanager
def edited(file: Path, text: str) -> Iterator[None]:
    before = file.read_text(encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(before, encoding="utf-8")


def marked(monkeypatch: pytest.MonkeyPatch, root: Path) -> set[str]:
    monkeypatch.chdir(root)
    with Repo(str(root)) as repo:
        return set(repo.status())


def other(value: object) -> object:
    if isinstance(value, bool):
        return not value
    return value * 2 + 1 if isinstance(value, int | float) else f"{value}x"


def test_every_parameter_marks_its_readers(observed, copied, monkeypatch):
    _, stages, seen = observed
    assert marked(monkeypatch, copied.root) == set()
    wrong = {}
    leaves = flatten(params.read(copied.params))
    for path, value in leaves.items():
        content = params.read(copied.params)
        section = content
        *sections, leaf = path.split(".")
        for name in sections:
            section = section[name]
        section[leaf] = other(value)
        text = StringIO()
        YAML().dump(content, text)
        with edited(copied.params, text.getvalue()):
            found = marked(monkeypatch, copied.root)
        readers = {stage.name for stage in stages if path in seen[stage.name].used | seen[stage.name].validated}
        if found != readers | {"check"}:
            wrong[path] = found ^ (readers | {"check"})
    assert len(leaves) > 25
    assert wrong == {}


def test_every_source_file_marks_its_readers(observed, copied, monkeypatch):
    _, stages, seen = observed
    listed = ["git", "ls-files", "src", "stages", "data", "versions.txt"]
    names = subprocess.run(listed, cwd=copied.root, capture_output=True, text=True, check=True).stdout.splitlines()
    files = [name for name in names if (copied.root / name).stat().st_size and not name.endswith(".gitignore")]
    wrong = {}
    for name in files:
        text = (copied.root / name).read_text(encoding="utf-8")
        with edited(copied.root / name, text + "# edited\n"):
            found = marked(monkeypatch, copied.root)
        readers = {stage.name for stage in stages if name in seen[stage.name].files}
        kinds = next((groups for folder, groups in BY_KIND.items() if name.startswith(folder)), set())
        allowed = readers | {"check"} | {stage.name for stage in stages if stage.group in kinds}
        if not readers <= found <= allowed:
            wrong[name] = (readers - found) | (found - allowed)
    assert len(files) > 80
    assert wrong == {}


@pytest.mark.parametrize(
    ("file", "old", "new", "ran"),
    [
        ("params.yaml", "lr: 0.05, momentum", "lr: 0.06, momentum", {"check", *LENET}),
        ("src/pipeline/metrics/classification.py", "PositiveInt = 15", "PositiveInt = 14", EVALUATE),
        ("src/pipeline/preprocessing/idx.py", "import gzip\n", "import gzip  # edited\n", PREPROCESS),
    ],
)
def test_stages_that_do_not_run_would_have_written_the_same_bytes(workspace, file, old, new, ran):
    workspace.replace(file, old, new)
    assert workspace.repro() - {"check"} == set(ran) - {"check"}
    before = workspace.lock()
    assert workspace.repro("--force") == before.keys()
    assert workspace.lock() == before
