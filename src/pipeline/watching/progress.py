"""Show training go by: one bar on a terminal, plain lines elsewhere, all on standard error. It only watches."""

import math
import os
import shutil
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from torch import Tensor
from tqdm import tqdm

#: Steps between two looks at the loss; each look waits for the device.
REFRESH = 50
#: Where there is no terminal, a training has lines for its first epochs, which show whether it learns at all, for about
#: so many at equal distances, and for its last.
NUM_FIRST, NUM_LINES = 3, 30
#: Columns from which a terminal has room for a bar and long words.
WIDE = 100


class Progress:
    """A context manager and an observer of the training loop; it also measures throughput, validation included.

    See :class:`pipeline.training.loop.Observer`.

    Args:
        name: of the run.
        num_epochs: after which training ends, if patience doesn't end it before.
        num_examples: in an epoch.
        steps_per_epoch: updates that it takes.
        first_step: updates taken before an interruption.
        history: the rows of the epochs before it.
        monitor: the column whose best value is shown.
        better: ``min`` or ``max``, for that column.
    """

    def __init__(
        self,
        name: str,
        num_epochs: int,
        num_examples: int,
        steps_per_epoch: int,
        first_step: int,
        history: list[dict[str, float]],
        monitor: str,
        better: Callable[[float, float], float],
    ) -> None:
        self.name, self.num_epochs, self.monitor, self.better = name, num_epochs, monitor, better
        self.examples_per_step = num_examples / steps_per_epoch
        is_wide = shutil.get_terminal_size().columns >= WIDE
        self.shown_monitor = monitor if is_wide else "val"
        self.bar = tqdm(
            total=num_epochs * num_examples,
            initial=round(first_step * self.examples_per_step),
            unit=" examples" if is_wide else " ex",
            unit_scale=True,
            bar_format=f"{{desc}}{' |{bar}|' if is_wide else ':'} {{remaining}} left{{postfix}}, {{rate_noinv_fmt}}",
            disable=not sys.stderr.isatty() or os.environ.get("TERM") == "dumb",
            dynamic_ncols=True,
        )
        self.loss = self.metric = self.unsaid = ""
        self.best = math.nan
        for row in history:
            self._see(row)
        self._label(len(history))
        self.num_steps = 0  # of this epoch and this process: a resumed one starts in the middle
        self.started = time.perf_counter()
        self.timing: dict[str, float] = {}  # of the epoch before

    def on_step(self, step: int, losses: dict[str, Tensor]) -> None:
        self.num_steps += 1
        if self.bar.disable:
            return
        if step % REFRESH == 0:
            self.loss = f"loss {float(next(iter(losses.values()))):.4g}"
            self.bar.set_postfix_str(self.loss + self.metric, refresh=False)
        self.bar.update(round(step * self.examples_per_step) - self.bar.n)

    def on_epoch(self, row: dict[str, float]) -> None:
        now = time.perf_counter()
        rate, seconds = self.num_steps * self.examples_per_step / (now - self.started), now - self.started
        self.timing = {"examples_per_second": rate, "epoch_seconds": seconds}
        self.num_steps, self.started = 0, now
        self._see(row)
        epoch = int(row["epoch"])
        if not self.bar.disable:
            self._label(epoch)
            return
        values = "  ".join(f"{name} {value:.4f}" for name, value in row.items() if name != "epoch")
        line = f"{self.name}  epoch {epoch}/{self.num_epochs}  {values}"
        self.unsaid = f"{line}  (best {self.best:.4f}, {rate:,.0f} examples/s)\n"
        if epoch <= NUM_FIRST or epoch % math.ceil(self.num_epochs / NUM_LINES) == 0:
            self._say()

    def _see(self, row: dict[str, float]) -> None:
        value = row[self.monitor]
        self.best = value if math.isnan(self.best) else self.better(self.best, value)
        self.loss = f"loss {next(loss for name, loss in row.items() if name.startswith('train_')):.4g}"
        self.metric = f", {self.shown_monitor} {value:.4g} (best {self.best:.4g})"

    def _label(self, epoch: int) -> None:
        self.bar.set_description_str(f"{self.name} {epoch}/{self.num_epochs}", refresh=False)
        self.bar.set_postfix_str(self.loss + self.metric, refresh=False)

    def _say(self) -> None:
        sys.stderr.write(self.unsaid)
        self.unsaid = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and not self.bar.disable:
            self.bar.total = self.bar.n  # less than foreseen, if patience ended it
        self.bar.close()
        self._say()
