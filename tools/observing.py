"""Run the stages of a pipeline under an audit and compare what each reads with what dvc.yaml declares for it."""

import json
import os
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dvc.dependency.param import ParamsDependency  # type: ignore[import-untyped]
from dvc.repo import Repo  # type: ignore[import-untyped]
from dvc.repo.reproduce import plan_repro  # type: ignore[import-untyped]
from project import Workspace

from pipeline.core import params
from pipeline.records import flatten

TOOLS = Path(__file__).parent

#: Modules that can't change an output, so that what they read isn't a dependency.
OBSERVERS = {
    "pipeline.tracking": "tells MLflow of a stage; nothing comes back",
    "pipeline.watching": "shows progress, sees whether what others read changes meanwhile, removes old checkpoints",
    "importlib.metadata": "lists src among the places where a library may be; versions.txt says what it must find",
}
#: Folders and name parts of what belongs to no stage.
WORKING_STATE = {
    ".pipeline/": "checkpoints and downloads, which are verified and lead to the same bytes, and journals for MLflow",
    ".git/": "read by tracking's git",
    "__pycache__": "stands for the source, which counts",
    ".partial": "an output that hasn't its name yet (files.replacing)",
}
#: Modules that list folders for no more than an error's text.
LISTING = {
    "pipeline.core.rooms": "says which names are valid",
    "pipeline.core.files": "looks for what killed writers left behind",
}
#: Dependencies that no stage reads.
ORDERING = {"data/checked.txt": "constant, and makes every stage wait for check"}
#: (stage, last key) of parameters that are declared with their section and used by none but validation.
VALIDATED_ONLY = {("preprocess", "path"): "an entry is validated as a whole; a folder's errors name it"}


@dataclass
class Observed:
    """What a stage read.

    Attributes:
        files, folders: relative to the repository.
        used: dotted paths of parameters.
        validated: those that became part of a schema, used or not.
        programs: commands of other programs than Python.
        opened: every file that was opened or imported, those included that aren't counted.
    """

    files: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    validated: set[str] = field(default_factory=set)
    programs: set[str] = field(default_factory=set)
    opened: set[str] = field(default_factory=set)


@dataclass
class Declared:
    """What dvc.yaml says of a stage.

    Attributes:
        name: such as ``train@lenet``.
        command: with its variables filled in.
        paths: dependencies, files or folders.
        outputs: files or folders.
        parameters: dotted paths of leaves or sections.
        all_parameters: the whole of ``params.yaml`` is declared instead.
    """

    name: str
    command: str
    paths: set[str]
    outputs: set[str]
    parameters: set[str]
    all_parameters: bool

    @property
    def group(self) -> str:
        """``train`` of ``train@lenet``."""
        return self.name.partition("@")[0]


def declared(root: Path) -> list[Declared]:
    """Every stage of the pipeline at ``root``, each after those it depends on, as DVC itself understands dvc.yaml."""
    with warnings.catch_warnings(), Repo(str(root)) as repo:
        warnings.simplefilter("ignore", DeprecationWarning)  # between DVC and pygtrie
        return [_declared(root, stage) for stage in plan_repro(repo.index.graph)]


def _declared(root: Path, stage: Any) -> Declared:
    sections = [dep.params for dep in stage.deps if isinstance(dep, ParamsDependency)]
    files = [dep for dep in stage.deps if not isinstance(dep, ParamsDependency)]
    return Declared(
        name=stage.name,
        command=stage.cmd,
        paths={os.path.relpath(dep.fs_path, root) for dep in files},
        outputs={os.path.relpath(out.fs_path, root) for out in stage.outs},
        parameters={name for section in sections for name in section},
        all_parameters=any(not section for section in sections),
    )


def observe(workspace: Workspace, stage: Declared, **environment: str) -> Observed:
    """Run one stage's command and say what it read."""
    assert "PYTHONPATH=src " in stage.command
    command = stage.command.replace("PYTHONPATH=src ", f"PYTHONPATH={TOOLS}:{TOOLS}/audit/site:src ")
    with tempfile.TemporaryDirectory() as folder:
        workspace.run("bash", "-c", command, check=True, PIPELINE_AUDIT=folder, **environment)
        records = [json.loads(file.read_text(encoding="utf-8")) for file in Path(folder).iterdir()]
    assert records, f"{stage.name}: the audit has recorded nothing"
    observed = Observed()
    for record in records:
        if not (record["arguments"][0] == "-m" and record["arguments"][1].startswith(tuple(OBSERVERS))):
            _add(observed, record, workspace.root, stage.outputs)
    return observed


def _add(observed: Observed, record: dict[str, Any], root: Path, outputs: set[str]) -> None:
    observed.used.update(path for path, by in record["used"] if by and not _by(by, OBSERVERS))
    observed.validated.update(record["validated"])
    observed.opened.update(record["modules"].values(), (path for path, _ in record["opened"]))
    observed.files.update(_modules(record, root))
    opened = _counted(record["opened"], OBSERVERS, outputs)
    # An empty file (an __init__.py) has nothing to depend on; a folder is opened to be flushed to disk.
    observed.files.update(path for path in opened if (root / path).is_file() and (root / path).stat().st_size)
    observed.folders.update(_counted(record["listed"], OBSERVERS | LISTING, outputs))
    ours = record["modules"].keys()
    for command, by in record["started"]:
        # What a library starts when it is imported isn't ours, and another Python has a record of its own.
        if ours & set(by) and not _by(by, OBSERVERS) and json.loads(command)[0] != record["executable"]:
            observed.programs.add(command)


def _counted(found: Iterable[tuple[str, list[str]]], exempt: Iterable[str], outputs: set[str]) -> Iterator[str]:
    for path, by in found:
        if by and not (
            _by(by, exempt) or _is_under(path, outputs) or any(part in f"{path}/" for part in WORKING_STATE)
        ):
            yield path


def _by(modules: list[str], exempt: Iterable[str]) -> bool:
    return any(f"{module}.".startswith(f"{name}.") for module in modules for name in exempt)


def _modules(record: dict[str, Any], root: Path) -> Iterator[str]:
    """The sources of the modules that are imported by others than the observers alone."""
    files: dict[str, str] = record["modules"]
    edges = [(a, b) for a, b in record["imported"] if not _by([a], OBSERVERS)]
    counted = {b for a, b in edges if a not in files} | (files.keys() - {b for _, b in record["imported"]})
    counted = {name for name in counted if not _by([name], OBSERVERS)} | {"__main__"}
    while new := {b for a, b in edges if a in counted and not _by([b], OBSERVERS)} - counted:
        counted |= new
    for name, file in files.items():
        empty = not (root / file).stat().st_size
        if not empty and (name in counted or file.endswith("__init__.py")):
            yield file


def faults(root: Path, stage: Declared, observed: Observed) -> list[str]:
    """What the stage reads and doesn't declare, or declares and doesn't read; one line each."""
    allowed = stage.paths | {str(params.FILE)}
    read = observed.files | observed.folders
    lines = [f"starts {program}, which the audit can't look into" for program in observed.programs]
    lines += [f"reads {path}, which isn't declared" for path in read if not _is_under(path, allowed)]
    lines += [
        f"declares {path} and doesn't read it"
        for path in stage.paths - ORDERING.keys()
        if not any(_is_under(found, {path}) for found in read)
    ]
    if not stage.all_parameters:
        lines += _parameter_faults(root, stage, observed)
    return sorted(f"{stage.name} {line}" for line in lines)


def _parameter_faults(root: Path, stage: Declared, observed: Observed) -> Iterator[str]:
    for path in observed.used | observed.validated:
        if not _is_below(path, stage.parameters):
            yield f"reads the parameter {path}, which isn't declared"
    for path in flatten(params.read(root / params.FILE)):
        exempt = (stage.group, path.rpartition(".")[2]) in VALIDATED_ONLY
        if _is_below(path, stage.parameters) and path not in observed.used and not exempt:
            yield f"declares the parameter {path} and doesn't read it"


def _is_under(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _is_below(path: str, sections: Iterable[str]) -> bool:
    return any(path == section or path.startswith(f"{section}.") for section in sections)
