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
