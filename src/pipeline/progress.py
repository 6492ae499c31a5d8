"""Show training go by: a bar on a terminal, one plain line an epoch elsewhere. It only watches."""

import sys
import time
from types import TracebackType
from typing import Self

from torch import Tensor
from tqdm import tqdm

#: Steps between two looks at the loss; each look waits for the device.
REFRESH = 50


class Progress:
    """A context manager and an observer of the training loop; it also measures the throughput of each epoch."""

    def __init__(self, name: str, num_epochs: int, num_steps: int, num_examples: int) -> None:
        self.name, self.num_epochs, self.num_examples = name, num_epochs, num_examples
        self.bar = tqdm(total=num_steps, desc=name, unit="step", disable=not sys.stderr.isatty(), dynamic_ncols=True)
        self.started = time.perf_counter()
        self.examples_per_second = 0.0

    def on_step(self, step: int, losses: dict[str, Tensor]) -> None:
        if not self.bar.disable and step % REFRESH == 0:
            self.bar.set_postfix({name: f"{float(loss):.4f}" for name, loss in losses.items()}, refresh=False)
            self.bar.update(REFRESH)

    def on_epoch(self, row: dict[str, float]) -> None:
        now = time.perf_counter()
        self.examples_per_second = self.num_examples / (now - self.started)
        self.started = now
        values = "  ".join(f"{name} {value:.4f}" for name, value in row.items() if name != "epoch")
        line = f"{self.name}  epoch {row['epoch']:.0f}/{self.num_epochs}  {values}"
        self.bar.write(f"{line}  ({self.examples_per_second:,.0f} examples/s)", file=sys.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.close()
