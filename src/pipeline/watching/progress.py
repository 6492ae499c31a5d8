"""Show training go by: a bar on a terminal, one plain line an epoch elsewhere. It only watches."""

import os
import sys
import time
from types import TracebackType
from typing import Self

from torch import Tensor
from tqdm import tqdm

#: Steps between two looks at the loss; each look waits for the device.
REFRESH = 50


class Progress:
    """A context manager and an observer of the training loop; it also measures throughput, validation included.

    See :class:`pipeline.training.loop.Observer`.
    """

    def __init__(self, name: str, num_epochs: int, num_examples: int, steps_per_epoch: int, first_step: int) -> None:
        self.name, self.num_epochs = name, num_epochs
        self.examples_per_step = num_examples / steps_per_epoch
        self.bar = tqdm(
            total=num_epochs * steps_per_epoch,
            initial=first_step,
            desc=name,
            unit="step",
            disable=not sys.stderr.isatty() or os.environ.get("TERM") == "dumb",
            dynamic_ncols=True,
        )
        self.num_steps = 0  # of this epoch and this process: a resumed one starts in the middle
        self.started = time.perf_counter()
        self.timing: dict[str, float] = {}  # of the epoch before

    def on_step(self, step: int, losses: dict[str, Tensor]) -> None:
        self.num_steps += 1
        if not self.bar.disable and step % REFRESH == 0:
            self.bar.set_postfix({name: f"{float(loss):.4f}" for name, loss in losses.items()}, refresh=False)
            self.bar.update(step - self.bar.n)

    def on_epoch(self, row: dict[str, float]) -> None:
        now = time.perf_counter()
        rate, seconds = self.num_steps * self.examples_per_step / (now - self.started), now - self.started
        self.timing = {"examples_per_second": rate, "epoch_seconds": seconds}
        self.num_steps, self.started = 0, now
        values = "  ".join(f"{name} {value:.4f}" for name, value in row.items() if name != "epoch")
        line = f"{self.name}  epoch {row['epoch']:.0f}/{self.num_epochs}  {values}"
        self.bar.write(f"{line}  ({rate:,.0f} examples/s)", file=sys.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.close()
