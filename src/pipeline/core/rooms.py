"""Find one component by its file name: a model, a task, a data set. There is no registry to keep up to date."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

from pipeline.core.schema import nearest


def names(room: str) -> list[str]:
    """The components in ``src/pipeline/<room>/``, in alphabetical order."""
    return sorted(file.stem for file in (Path(__file__).parents[1] / room).glob("[!_]*.py"))


def load(room: str, name: str, path: str) -> ModuleType:
    """Import ``pipeline.<room>.<name>``, which the user named under the key ``path`` of ``params.yaml``.

    Raises:
        ValueError: there is no such file; the message lists those there are.
    """
    if name not in names(room):
        raise ValueError(f"{path}: {name!r} is unknown; {nearest(str(name), names(room))}")
    return import_module(f"pipeline.{room}.{name}")
