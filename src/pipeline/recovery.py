"""Mend what DVC was writing when it was killed: neither file is written atomically, and DVC refuses a torn one.

`.dvc/tmp/rwlock` says which process uses which path, and no process is left that does. `dvc.lock` says what was made
from what: git has an older one, and what was made since, DVC then finds in its run cache.
"""

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from dvc.lock import LockError, make_lock  # type: ignore[import-untyped]
from dvc.schema import COMPILED_LOCKFILE_SCHEMA  # type: ignore[import-untyped]
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from voluptuous import Invalid

from pipeline.core.files import replacing

RWLOCK = Path(".dvc/tmp/rwlock")
DVC_LOCK = Path("dvc.lock")


def recover() -> list[str]:
    """Remove a torn `.dvc/tmp/rwlock` and replace a torn `dvc.lock` by git's; returns what was done, one line each.

    Raises:
        ValueError: a file is torn and another DVC process is at work.
    """
    broken = [(file, mend) for file, is_whole, mend in _FILES if not is_whole(file)]
    if not broken:
        return []
    with contextlib.ExitStack() as locks:
        for name in ("lock", "rwlock.lock"):
            try:
                locks.enter_context(make_lock(str(RWLOCK.with_name(name))))
            except LockError:
                raise ValueError(
                    f"{broken[0][0]} can't be read and another DVC process is at work: "
                    "wait for it to end, then try again"
                ) from None
        # What looked torn may have been under way.
        return [mend(file) for file, is_whole, mend in _FILES if not is_whole(file)]


def _is_json(file: Path) -> bool:
    try:
        json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return True
    except ValueError:
        return False
    return True


def _is_lock(file: Path) -> bool:
    try:
        text = file.read_text(encoding="utf-8")
        COMPILED_LOCKFILE_SCHEMA(YAML(typ="safe").load(text) or {})
    except FileNotFoundError:
        return True
    except (YAMLError, Invalid, UnicodeDecodeError):
        return False
    return text.endswith("\n")


def _remove(file: Path) -> str:
    file.unlink()
    return f"{file} was torn, since DVC was killed while it wrote it: removed"


def _restore(file: Path) -> str:
    done = subprocess.run(["git", "show", f"HEAD:./{file}"], capture_output=True, check=False)
    if done.returncode:
        file.unlink()
        return f"{file} was torn, since DVC was killed while it wrote it: removed, git has none"
    with replacing(file) as beside:
        beside.write_bytes(done.stdout)
    return f"{file} was torn, since DVC was killed while it wrote it: it is git's again, and nothing will be made twice"


_FILES: list[tuple[Path, Callable[[Path], bool], Callable[[Path], str]]] = [
    (RWLOCK, _is_json, _remove),
    (DVC_LOCK, _is_lock, _restore),
]


if __name__ == "__main__":
    try:
        for line in recover():
            sys.stderr.write(f"warning: {line}\n")
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
