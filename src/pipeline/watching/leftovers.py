"""Remove the checkpoints of finished trainings, once DVC has recorded what came of them and not earlier.

DVC deletes the outputs of a stage that it could not record and runs it again: were the checkpoints gone by then, a kill
between the end of a training and DVC's record of it would cost the whole training.
"""

import shutil
from pathlib import Path

from pipeline.core.files import write_text

#: <run>/<input key>/ has the checkpoints of one training; beside DVC's outputs, which DVC deletes before a stage runs.
CHECKPOINTS = Path(".pipeline/checkpoints")
MARK = "finished"
DVC_LOCK = Path("dvc.lock")


def mark(checkpoints: Path, model_md5: str) -> None:
    """Say that the training that wrote these checkpoints has ended in the weights with this md5."""
    write_text(checkpoints / MARK, model_md5)


def remove() -> None:
    """Remove all checkpoints whose training is marked as finished and stands in ``dvc.lock``."""
    for marked in CHECKPOINTS.glob(f"*/*/{MARK}"):
        try:
            # Of a training that is repeated the lock has the md5 from before.
            is_recorded = DVC_LOCK.stat().st_mtime_ns > marked.stat().st_mtime_ns
            if is_recorded and marked.read_text(encoding="utf-8") in DVC_LOCK.read_text(encoding="utf-8"):
                shutil.rmtree(marked.parent)
                marked.parent.parent.rmdir()
        except OSError:  # another stage removes it at the same time, or the run has other checkpoints
            continue
