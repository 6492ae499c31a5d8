"""Let a step end before Ctrl-C or SIGTERM ends the process, so that a checkpoint of it can be written."""

import signal
from types import FrameType, TracebackType
from typing import Any, Self


class Stop:
    """A context manager that puts off SIGINT and SIGTERM; at its end at the latest they take effect.

    Attributes:
        requested: the signal that has come, or None. A second one takes effect at once.
    """

    def __init__(self) -> None:
        self.requested: int | None = None
        self.handlers: dict[signal.Signals, Any] = {}

    def obey(self) -> None:
        """Let the signal that has come take effect: KeyboardInterrupt, or the end of the process.

        Does nothing if none has come.
        """
        if self.requested is not None:
            number, self.requested = self.requested, None
            signal.raise_signal(number)

    def __enter__(self) -> Self:
        # What is ignored stays so, as Ctrl-C is for a command that a script runs in the background.
        heeded = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) != signal.SIG_IGN]
        self.handlers = {number: signal.signal(number, self._remember) for number in heeded}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()
        self.obey()

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self.requested = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self.handlers.items():
            signal.signal(number, handler)
