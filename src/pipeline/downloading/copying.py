"""Take a snapshot of a user's own files."""

import shutil
from pathlib import Path

from pipeline.source.pictures import Classes, unreadable


def copy(parts: dict[str, Classes], folder: Path, raw: Path) -> None:
    """Copy all files of ``parts``, which lie in ``folder``, to the same place in ``raw``.

    Raises:
        ValueError: some can't be read; the message names them.
    """
    problems = {}
    for file in (file for classes in parts.values() for files in classes.values() for file in files):
        name = file.relative_to(folder)
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        if not file.is_file():
            problems[str(name)] = "not a file, or a link to nothing"
            continue
        try:
            shutil.copyfile(file, raw / name)
        except PermissionError:
            problems[str(name)] = "permission denied"
    if problems:
        raise unreadable(folder, problems)


def copy_files(path: Path, raw: Path) -> None:
    """Copy the file ``path``, or all files in the folder ``path`` but hidden ones and folders, into ``raw``.

    Raises:
        ValueError: there are none, or one can't be read.
    """
    files = sorted(path.glob("[!.]*")) if path.is_dir() else [path]
    files = [file for file in files if file.is_file()]
    if not files:
        raise ValueError(f"{path}: there is no such file, nor a folder with files in it")
    for file in files:
        try:
            shutil.copyfile(file, raw / file.name)
        except PermissionError:
            raise ValueError(f"{file}: permission denied; allow yourself to read it") from None
