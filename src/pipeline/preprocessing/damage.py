"""The one message about a raw file that can't be read."""

from pathlib import Path


def damaged(raw: Path, name: str, problem: object) -> ValueError:
    """An error that names the file and how to get it back; ``raw`` is the folder of one data set."""
    # Some problems name the file themselves.
    said = str(problem).removeprefix(f"{raw / name}: ")
    return ValueError(f"{raw / name}: {said}; delete {raw} and run `dvc repro download@{raw.name}`")
