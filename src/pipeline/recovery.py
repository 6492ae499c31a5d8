"""Mend what DVC was writing when it was killed: neither file is written atomically, and DVC refuses a torn one.

`.dvc/tmp/rwlock` says which process uses which path: nothing, where no DVC is at work. `dvc.lock` says what was made
from what: git has an older one, and what was made since, DVC then finds in its run cache. Beside outputs, files stay
behind that hadn't got their names yet. `make repro` runs this first; it says what it did.
"""

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
from dvc.lock import LockError, make_lock  # type: ignore[import-untyped]
from dvc.schema import COMPILED_LOCKFILE_SCHEMA  # type: ignore[import-untyped]
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from voluptuous import Invalid

from pipeline import arguments, place
from pipeline.core.files import replacing

RWLOCK = Path(".dvc/tmp/rwlock")
DVC_LOCK = Path("dvc.lock")
#: Where outputs lie, and how DVC names a file until it is complete (dvc_objects.fs.utils.tmp_fname).
PLACES = ("data/.*", "data/raw/.*", "data/processed/.*", "outputs/**/.*")
TEMPORARY = re.compile(r"\.[\w-]{22}\.tmp")


def recover() -> list[str]:
    """Move a torn `.dvc/tmp/rwlock` or `dvc.lock` away, bring back git's `dvc.lock`, and remove unfinished files.

    Returns what was done, one line each.

    Raises:
        ValueError: a file is torn and another DVC process is at work, or `dvc.lock` has a merge conflict.
    """
    torn = [file for file, is_whole in _FILES.items() if not is_whole(file)]
    if not torn and not _unfinished():
        return []
    with contextlib.ExitStack() as locks:
        try:
            for name in ("lock", "rwlock.lock"):
                locks.enter_context(make_lock(str(RWLOCK.with_name(name))))
            is_busy = _is_dvc_running()
        except LockError:
            is_busy = True
        if is_busy and not torn:
            return []
        if is_busy:
            raise ValueError(
                f"{torn[0]} can't be read and another DVC process is at work here: wait for it to end, then try again"
            )
        # What looked torn may have been under way.
        mended = [_mend(file) for file, is_whole in _FILES.items() if not is_whole(file)]
        return mended + [_remove(file) for file in _unfinished()]


def _unfinished() -> list[Path]:
    """What DVC was copying beside an output; inside one, it would see it and make the output again."""
    found = (file for pattern in PLACES for file in Path().glob(pattern))
    return sorted(file for file in found if TEMPORARY.fullmatch(file.name))


def _remove(file: Path) -> str:
    file.unlink()
    return f"{file} is removed: DVC was killed while it copied an output"


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


def _is_dvc_running() -> bool:
    """Whether a DVC works in this folder; while the command of a stage runs, it holds no lock."""
    for process in psutil.process_iter(["cmdline", "cwd"]):
        command = [Path(word).name for word in (process.info["cmdline"] or [])[:3]]
        if {"dvc", "pipeline.parallel", "pipeline.reproducing"} & {*command} and process.info["cwd"] == str(Path.cwd()):
            return True
    return False


def _mend(file: Path) -> str:
    what = f"{file} was torn, since DVC was killed while it wrote it"
    kept = RWLOCK.with_name(f"{file.name}.torn")
    older = None
    if file == DVC_LOCK:
        if _git("ls-files", "--unmerged", str(file)):
            sides = f"`git checkout --ours {file}` or `--theirs`"
            raise ValueError(f"{file} has a merge conflict: {sides}, then `make repro` and `git add {file}`")
        older = _git("show", f"HEAD:./{file}") if _git("ls-tree", "HEAD", str(file)) else None
        if older and b"\n<<<<<<< " in older:  # the conflict was committed
            older = None
    file.replace(kept)
    if older is None:
        return f"{what}: it is now {kept}"
    with replacing(file) as beside:
        beside.write_bytes(older)
    return f"{what}: it is git's again, nothing will be made twice, and what was left of it is {kept}"


def _git(*arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], capture_output=True, check=False)
    if done.returncode:
        raise ValueError(f"git {arguments[0]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


_FILES: dict[Path, Callable[[Path], bool]] = {RWLOCK: _is_json, DVC_LOCK: _is_lock}


if __name__ == "__main__":
    arguments.none(__doc__)
    try:
        place.check()
        for line in recover():
            sys.stderr.write(f"warning: {line}\n")
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
