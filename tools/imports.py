"""Which of our modules a stage imports, found by reading the sources: a fast forerunner of tools/observing.py."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Room -> where a run or data set names the component (`rooms.load`).
NAMED_BY = {"datasets": "kind", "models": "model.name", "tasks": "task", "metrics": "task", "programs": "task"}


@dataclass
class Imports:
    """The imports of one file: module names.

    Attributes:
        always: carried out when the file is imported.
        perhaps: within functions.
        rooms: those from which the file loads a component.
    """

    always: set[str] = field(default_factory=set)
    perhaps: set[str] = field(default_factory=set)
    rooms: set[str] = field(default_factory=set)


def of_file(file: Path) -> Imports:
    """Read the imports of one source file."""
    imports = Imports()
    _collect(ast.parse(file.read_text(encoding="utf-8")).body, imports, imports.always)
    return imports


def closure(
    root: Path, entry: str, sections: Iterable[dict[str, Any]], skipped: Iterable[str]
) -> tuple[set[str], set[str]]:
    """The source files that the stage at ``entry`` imports, as paths relative to ``root``.

    Args:
        root: the repository.
        entry: such as ``stages/train.py``.
        sections: the entries of ``datasets`` or ``runs`` that the stage works on.
        skipped: modules that aren't followed, with all below them.

    Returns:
        Those that it imports whenever it runs, and, with these, those that it may import.
    """
    sections, skipped = list(sections), tuple(skipped)
    found: tuple[set[str], set[str]] = {entry}, {entry}
    for index, files in enumerate(found):
        todo = [entry]
        while todo:
            imports = of_file(root / todo.pop())
            names = imports.always | (imports.perhaps if index else set())
            names |= {name for room in imports.rooms for name in _components(room, sections)}
            new = {file for name in names if (file := _file(root, name, skipped))} - files
            files |= new
            todo += new
    return found


def _collect(body: Iterable[ast.AST], imports: Imports, into: set[str]) -> None:
    for node in body:
        if isinstance(node, ast.Import):
            into.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            into.update([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "rooms.load" and node.args:
            room = node.args[0]
            assert isinstance(room, ast.Constant), f"{ast.unparse(node)}: the room should be a plain string"
            imports.rooms.add(str(room.value))
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "__name__ == '__main__'"):
            continue
        # What takes long to import a stage imports in `main`, which always runs.
        in_function = isinstance(node, ast.Lambda) or (isinstance(node, ast.FunctionDef) and node.name != "main")
        _collect(ast.iter_child_nodes(node), imports, imports.perhaps if in_function else into)


def _components(room: str, sections: Iterable[dict[str, Any]]) -> Iterator[str]:
    for section in sections:
        name: Any = section
        for key in NAMED_BY[room].split("."):
            name = name.get(key) if isinstance(name, dict) else None
        if name is not None:
            yield f"pipeline.{room}.{name}"


def _file(root: Path, name: str, skipped: tuple[str, ...]) -> str | None:
    if not name.startswith("pipeline") or any(f"{name}.".startswith(f"{module}.") for module in skipped):
        return None
    path = Path("src", *name.split(".")).with_suffix(".py")
    return str(path) if (root / path).exists() else None
