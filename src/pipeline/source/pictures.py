"""The structure of a folder of pictures: which files belong to which class, in train and in test."""

from collections.abc import Iterable
from pathlib import Path

LAYOUT = "either class folders with pictures, or the folders train and test with the same class folders in both"
PARTS = ("train", "test")

Classes = dict[str, list[Path]]  # class -> its files


def scan(folder: Path) -> dict[str, Classes]:
    """Part -> class -> files, all sorted by name; the only part is ``train`` where the folder isn't divided.

    Files beside the class folders belong to no class and are left out; folders within a class folder belong to it.

    Raises:
        ValueError: the folder is missing or has another structure; the message says what was found.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder; {LAYOUT} are needed")
    names = [entry.name for entry in _folders(folder)]
    if not set(names) & set(PARTS):
        return {"train": _classes(folder)}
    if set(names) != set(PARTS):
        raise ValueError(
            f"{folder}: found the folders {_listed(names)}; {LAYOUT} are needed "
            f"(validation examples are split off from train, by val_fraction)"
        )
    parts = {part: _classes(folder / part) for part in PARTS}
    if uneven := sorted(parts["train"].keys() ^ parts["test"].keys()):
        raise ValueError(f"{folder}: in train or in test only: {_listed(uneven)}; both need the same class folders")
    return parts


def _classes(folder: Path) -> Classes:
    classes = {entry.name: _files(entry) for entry in _folders(folder)}
    if len(classes) < 2:
        raise ValueError(f"{folder}: found the class folders {_listed(classes)}; at least two are needed: {LAYOUT}")
    if empty := [name for name, files in classes.items() if not files]:
        raise ValueError(f"{folder}: no files in {_listed(empty)}; add pictures or remove the folders")
    return classes


def _folders(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _files(folder: Path) -> list[Path]:
    return sorted(
        entry
        for entry in folder.rglob("*")
        if not entry.is_dir() and not any(part.startswith(".") for part in entry.relative_to(folder).parts)
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def unreadable(folder: Path, problems: dict[str, str]) -> ValueError:
    """One error that names every file in ``problems`` (path within ``folder`` -> what is wrong), up to twenty."""
    shown = [f"  {name}: {problem}" for name, problem in sorted(problems.items())[:20]]
    rest = [f"  and {len(problems) - len(shown)} more"] if len(problems) > len(shown) else []
    head = f"{folder}: {len(problems)} of its files can't be read as pictures; repair or remove them:"
    return ValueError("\n".join([head, *shown, *rest]))
