"""Committed checksum files in the format of ``md5sum``: which files a data set consists of, and their contents."""

import re
from pathlib import Path

from pipeline.core.files import md5


def read(file: Path) -> dict[str, str]:
    """File name relative to the raw folder -> md5.

    Raises:
        ValueError: the checksum file is missing, empty, not in the format of ``md5sum``, or names a file elsewhere.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}; `path` of this data set must name its checksum file") from None
    parsed = [re.fullmatch(r"([0-9a-f]{32}) [ *](.+)", line) for line in lines]
    if not lines or None in parsed:
        wrong = lines[parsed.index(None)] if lines else ""
        raise ValueError(f"{file}: {wrong!r} is not a line of md5sum; `git checkout {file}` brings the file back")
    for number, name in enumerate((match[2] for match in parsed if match), 1):
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ValueError(
                f"{file}: line {number}: {name!r} must be relative to the folder of the data, without `..`"
            )
    return {match[2]: match[1] for match in parsed if match}


def problem(file: Path, expected: str) -> str | None:
    """What is wrong with a file whose md5 should be ``expected``; None if it is good."""
    if not file.is_file():
        return f"{file} is missing"
    found = md5(file)
    return None if found == expected else f"{file} ({file.stat().st_size:,} bytes) has md5 {found}, not {expected}"


def verify(folder: Path, file: Path, remedy: str) -> None:
    """Check that all files listed in the checksum file ``file`` are in ``folder``, byte for byte.

    Raises:
        ValueError: some are not; the message names each and ends with ``remedy``.
    """
    problems = [text for name, expected in read(file).items() if (text := problem(folder / name, expected))]
    if problems:
        raise ValueError(f"{file}: " + "; ".join(problems) + f"; {remedy}")
