"""The library versions that determine bytes: a dependency of the stages, so that an upgrade is a change."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

FILE = Path("versions.txt")


def check(file: Path = FILE) -> None:
    """Compare the environment with ``versions.txt``.

    Raises:
        ValueError: a library has another version, or isn't installed; the message says how to bring both together.
    """
    for line in file.read_text(encoding="utf-8").split():
        name, _, wanted = line.partition("==")
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "not installed"
        # Builds of the same version, such as 2.14.1+cu128, are told apart by a suffix.
        if found.partition("+")[0] != wanted:
            raise ValueError(
                f"{file}: {name} should be {wanted} and is {found}: install the locked versions by `make -B setup`, or "
                "after an upgrade write the new ones by `make lock`; everything then runs anew"
            )
