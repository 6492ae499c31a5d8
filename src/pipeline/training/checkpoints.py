"""Keep the state of a training on disk, so that a killed one goes on where it was and ends in the same bytes."""

import io
import os
import shutil
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from pipeline.core.files import replacing
from pipeline.core.stage import say
from pipeline.network import processes
from pipeline.training.loop import State
from pipeline.training.task import LearningTask
from pipeline.watching import leftovers

#: Seconds between two checkpoints: the work that a kill can cost. PIPELINE_CHECKPOINT_SECONDS says otherwise.
INTERVAL = 20.0
#: They are further apart where writing one would take more than this share of the time: a large network, a slow disk.
MAX_SHARE = 0.01
#: How many checkpoints are kept, should the newest be damaged.
NUM_KEPT = 2


class Checkpoints:
    """The checkpoints of one training, which its input key names. Of several processes only the first reads and writes.

    Each file's name holds the step and a SHA-256 of its contents, by which a damaged one is known.

    Attributes:
        places: where the training has taken place so far, such as ``cpu`` and then ``2 x cpu``: the bits depend on it.
    """

    def __init__(self, run: str, input_key: str, task: LearningTask, state: State) -> None:
        self.folder = leftovers.CHECKPOINTS / run / input_key
        self.task, self.state = task, state
        device = next(task.model.parameters()).device.type
        self.places = [device if processes.size() == 1 else f"{processes.size()} x {device}"]
        self.fixed = _interval()
        self.interval = INTERVAL if self.fixed is None else self.fixed
        self.saved_at = time.monotonic()

    def restore(self, device: torch.device) -> int:
        """Load the newest checkpoint that is whole into task and state; returns its step, 0 if there is none."""
        content = processes.from_first(self._newest() if processes.rank() == 0 else None)
        if content is None:
            return 0
        saved = _parsed(content)
        self.task.load_state_dict(saved["task"])
        for name, value in saved["state"].items():
            setattr(self.state, name, value if name == "samples" else _to(value, device))
        if saved["places"][-1:] != self.places:
            self.places = saved["places"] + self.places
            if processes.rank() == 0:
                say(f"warning: trained on {', then '.join(self.places)}: other bytes than on one of them")
        return self.state.step

    def on_step(self) -> None:
        """Write a checkpoint if it is time."""
        if time.monotonic() - self.saved_at >= self.interval:
            self.save()

    def save(self) -> bool:
        """Write a checkpoint and remove all but the newest; a full disk costs the checkpoint, not the training.

        Returns whether it was written.
        """
        begun = time.monotonic()
        buffer = io.BytesIO()
        origin = {"input_key": self.folder.name, "places": self.places}
        torch.save({**origin, "task": self.task.state_dict(), "state": vars(self.state)}, buffer)
        content = buffer.getvalue()
        try:
            with replacing(self.folder / f"{self.state.step:012d}-{_digest(content)}.pt") as file:
                file.write_bytes(content)
            for old in self._files()[:-NUM_KEPT]:
                old.unlink(missing_ok=True)
        except OSError as error:
            say(f"warning: no checkpoint at step {self.state.step}: {error}")
            return False
        finally:
            self.saved_at = time.monotonic()
            if self.fixed is None:
                self.interval = max(INTERVAL, (self.saved_at - begun) / MAX_SHARE)
        return True

    def finish(self, record: Path) -> None:
        """Remove all checkpoints of the run but the newest, also those of other parameters: it is trained.

        The newest goes when DVC has recorded ``record``, the ``record.json`` that the training left.
        """
        try:
            for file in self.folder.iterdir():
                if file not in self._files()[-1:]:
                    file.unlink(missing_ok=True)
            for other in self.folder.parent.iterdir():
                if other != self.folder:
                    shutil.rmtree(other, ignore_errors=True)
            leftovers.mark(self.folder, record)
        except OSError as error:
            say(f"warning: the checkpoints in {self.folder} stay: {error}")

    def _newest(self) -> bytes | None:
        for file in reversed(self._files()):
            content = file.read_bytes()
            if not file.stem.endswith(_digest(content)):
                say(f"warning: {file} is damaged; trying the one before it")
            elif _parsed(content)["input_key"] != self.folder.name:
                say(f"warning: {file} belongs to another training; trying the one before it")
            else:
                return content
        return None

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]*.pt"))


def _parsed(content: bytes) -> dict[str, Any]:
    # Onto the CPU: the task moves its tensors to where it is, but for those that an optimiser keeps on the CPU.
    parsed: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return parsed


def _to(value: Any, device: torch.device) -> Any:
    if isinstance(value, dict):
        return {name: _to(item, device) for name, item in value.items()}
    return value.to(device) if isinstance(value, torch.Tensor) else value


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()[:16]


def _interval() -> float | None:
    text = os.environ.get("PIPELINE_CHECKPOINT_SECONDS")
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not seconds >= 0:
        raise ValueError(f"PIPELINE_CHECKPOINT_SECONDS={text} is not allowed; a number of seconds from 0 is needed")
    return seconds
