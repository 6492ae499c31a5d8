"""Notice that something changed on disk while a stage worked with it.

DVC hashes dependencies after a stage's command (treeverse/dvc#11058): a file edited meanwhile would be recorded as what
the old result was made from. So a stage remembers what it read and fails if that is no longer what lies there.
"""

import os
import stat
import sys
import time
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.core import params

#: Of the repository: what isn't read for a result (it is kept by tools, or only watches a stage).
SKIPPED = (".git/", ".venv/", ".dvc/", ".pipeline/", "mlruns/", "src/pipeline/tracking/", "src/pipeline/watching/")
#: Compiled code stands for its source; what is still being written has no name of its own yet (`files.replacing`).
SKIPPED_PARTS = ("__pycache__", ".partial")
#: A larger file, and any after so many, is taken for changed when its time stamp is: hashing must cost nothing.
LARGEST_HASHED = 1 << 20
NUM_HASHED = 1000

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
# Less than the steps in which time stamps of files advance would miss an edit right after this.
_IMPORTED_AT = time.time_ns() - 10_000_000


#: The watch of this process.
_watch: "Watch | None" = None


def start() -> None:
    """Remember what this process reads from now on, and the modules it has loaded so far."""
    global _watch
    _watch = Watch()


def check() -> None:
    """Compare what was read since :func:`start` with what is on disk now; without a start there is nothing to compare.

    Raises:
        ValueError: something changed; the message names it.
    """
    if _watch:
        _watch.check()


class State(NamedTuple):
    """A file as it was read: device, inode, size and time of its last change, and a hash of it if it is small."""

    stamp: tuple[int, ...]
    digest: bytes | None


class Watch:
    """Remembers the files of the repository that this process reads from now on, and the modules it has loaded so far.

    There can be one in a process, as an audit hook stays for good. It sees what is opened or executed by Python: who
    reads a file by a library's native code opens it in Python as well (`storage.load`).
    """

    def __init__(self) -> None:
        self.root = f"{Path.cwd()}{os.sep}"
        self.seen: dict[str, State | None] = {}
        for module in list(sys.modules.values()):
            if file := getattr(module, "__file__", None):
                self._see(file, loaded=True)
        self.check()
        sys.addaudithook(self._hook)

    def check(self) -> None:
        """Compare with what is on disk now.

        Raises:
            ValueError: something changed; the message names it.
        """
        changed = [file for file, state in list(self.seen.items()) if _changed(self.root + file, state)]
        if params.asked and str(params.FILE) in changed:
            # Other runs may be edited while this one trains.
            changed.remove(str(params.FILE))
            content = params.read()
            changed += [f"{params.FILE}: {path}" for path, value in params.asked.items() if _at(content, path) != value]
        if changed:
            raise ValueError(
                f"{', '.join(changed)}: changed while this stage was using it, so the result may belong to neither "
                "the old nor the new; run `dvc repro` again"
            )

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not isinstance(path, int) and not flags & _WRITING:
                self._see(path)
        elif event == "exec":  # a module loaded from __pycache__, of which the source isn't opened
            path = arguments[0].co_filename
            if not path.startswith("<"):
                self._see(path)

    def _see(self, path: str | bytes | os.PathLike[str], loaded: bool = False) -> None:
        full = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 (Path.absolute keeps ..)
        if not full.startswith(self.root):
            return
        file = full[len(self.root) :]
        if file in self.seen or file.startswith(SKIPPED) or any(part in file for part in SKIPPED_PARTS):
            return
        self.seen[file] = None  # so that the reading below isn't seen again
        try:
            state = _state(full, hashed=len(self.seen) <= NUM_HASHED)
        except OSError:  # then opening it fails too
            del self.seen[file]
            return
        # It was loaded before this: a file written since may be another than was loaded.
        if state and loaded and _IMPORTED_AT < state.stamp[-1] <= time.time_ns():
            state = State((), None)
        self.seen[file] = state


def _state(file: str, hashed: bool) -> State | None:
    stamp = _stamp(file)
    if not stamp:
        return None
    return State(stamp, _digest(file) if hashed and stamp[-2] <= LARGEST_HASHED else None)


def _changed(file: str, before: State | None) -> bool:
    try:
        if before is None or _stamp(file) == before.stamp:
            return False
        return before.digest is None or _digest(file) != before.digest
    except OSError:
        return True


def _stamp(file: str) -> tuple[int, ...]:
    found = os.stat(file)  # noqa: PTH116 (a thousand files should take no time)
    if not stat.S_ISREG(found.st_mode):
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _digest(file: str) -> bytes:
    return blake2b(Path(file).read_bytes()).digest()


def _at(content: dict[str, Any], path: str) -> Any:
    try:
        return params.at(content, path)
    except ValueError:
        return None
