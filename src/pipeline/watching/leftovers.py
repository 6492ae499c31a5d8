"""Remove the checkpoints of finished trainings, once DVC has recorded what came of them and not earlier.

DVC deletes the outputs of a stage that it could not record and runs it again: were the checkpoints gone by then, a kill
between the end of a training and DVC's record of it would cost the whole training.
"""

import contextlib
import shutil
from pathlib import Path

from pipeline.core.files import md5, write_text

#: <run>/<input key>/ has the checkpoints of one training; beside DVC's outputs, which DVC deletes before a stage runs.
CHECKPOINTS = Path(".pipeline/checkpoints")
MARK = "finished"
DVC_LOCK = Path("dvc.lock")


def mark(checkpoints: Path, record: Path) -> None:
    """Say that the training that wrote these checkpoints has ended, and left this ``record.json``."""
    write_text(checkpoints / MARK, md5(record))


def remove() -> None:
    """Remove all checkpoints whose training is marked as finished and stands in ``dvc.lock``."""
    # Another stage may remove the same at the same time.
    with contextlib.suppress(OSError):
        for marked in CHECKPOINTS.glob(f"*/*/{MARK}"):
            if _is_recorded(marked):
                _remove(marked)


def _is_recorded(marked: Path) -> bool:
    # Of a training that is repeated the lock has the md5 from before.
    is_newer = DVC_LOCK.stat().st_mtime_ns > marked.stat().st_mtime_ns
    return is_newer and marked.read_text(encoding="utf-8") in DVC_LOCK.read_text(encoding="utf-8")


def _remove(marked: Path) -> None:
    # The mark goes last: checkpoints without it are those of a training to go on with.
    for file in marked.parent.iterdir():
        if file != marked:
            file.unlink(missing_ok=True)
    shutil.rmtree(marked.parent)
    with contextlib.suppress(OSError):  # the run has other checkpoints
        marked.parent.parent.rmdir()
