"""The imports in the sources agree with dvc.yaml; test_complete.py proves the same, and more, by running the stages."""

from pathlib import Path

import pytest
from imports import closure, of_file
from observing import OBSERVERS, declared

from pipeline.core import params

ROOT = Path(__file__).parents[2]


def is_under(path, folders):
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def sections(stage, content):
    """The entries of params.yaml that the stage works on: all, or the one that it is named after."""
    entries = content["datasets" if stage.group in ("download", "preprocess") else "runs"]
    return (
        [entries[stage.name.partition("@")[2]]]
        if "@" in stage.name
        else [*content["datasets"].values(), *entries.values()]
    )


@pytest.fixture(scope="module")
def stages():
    """(stage, what it imports whenever it runs, what it may import) of this checkout."""
    content = params.read(ROOT / params.FILE)
    return [
        (stage, *closure(ROOT, f"stages/{stage.group}.py", sections(stage, content), OBSERVERS))
        for stage in declared(ROOT)
    ]


def test_what_a_stage_imports_is_declared(stages):
    assert [(s.name, file) for s, always, _ in stages for file in always if not is_under(file, s.paths)] == []


def test_code_that_is_declared_can_be_imported(stages):
    code = [(s, path, files) for s, _, files in stages for path in s.paths if path.startswith(("src/", "stages/"))]
    unread = {(s.group, path) for s, path, files in code if not any(is_under(file, {path}) for file in files)}
    assert unread == set()


def test_every_init_file_is_empty():
    # They are imported with every module of their folder, and no stage declares them.
    assert [str(file) for file in (ROOT / "src").rglob("__init__.py") if file.stat().st_size] == []


def test_imports_within_functions_and_for_types_are_told_apart(tmp_path):
    file = tmp_path / "module.py"
    file.write_text(
        "from typing import TYPE_CHECKING\n"
        "import pipeline.a\n"
        "if TYPE_CHECKING:\n    import pipeline.never\n"
        "try:\n    from pipeline import b\nexcept ImportError:\n    pass\n"
        "class C:\n    import pipeline.c\n"
        "    def f(self):\n        import pipeline.d\n        rooms.load('models', 'x', '')\n"
    )
    found = of_file(file)
    assert {name for name in found.always if name.startswith("pipeline.")} == {"pipeline.a", "pipeline.b", "pipeline.c"}
    assert found.perhaps == {"pipeline.d"}
    assert found.rooms == {"models"}


@pytest.mark.parametrize(
    "line", ["import pipeline.seeding", "from pipeline import seeding", "from pipeline.seeding import derive"]
)
def test_a_planted_import_is_found(tmp_path, line):
    for name, text in {"stages/x.py": line, "src/pipeline/seeding.py": ""}.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    assert closure(tmp_path, "stages/x.py", [], ())[0] == {"stages/x.py", "src/pipeline/seeding.py"}
