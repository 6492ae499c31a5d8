"""The one message about a raw file that can't be read."""

from pathlib import Path


def damaged(raw: Path, name: str, problem: object) -> ValueError:
    """An error that names the file and how to get it back; ``raw`` is the folder of one data set."""
    return ValueError(f"{raw / name}: {problem}; delete {raw} and run `dvc repro download@{raw.name}`")
