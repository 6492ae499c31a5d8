"""Where fetched files are kept: DVC deletes a stage's outputs before it runs, this folder outlives them."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(kind: str) -> Iterator[Path]:
    """The folder ``.pipeline/downloads/<kind>``, for one process at a time: two would write the same partial file."""
    # An experiment of DVC runs in a temporary copy of the repository; DVC_ROOT names the original.
    folder = Path(os.environ.get("DVC_ROOT", "."), ".pipeline", "downloads", kind)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
