"""Programs that run beside this process and end with it, whatever happens."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

#: Seconds that a server may take to end in order.
PATIENCE = 60


def bound(command: list[str], end: signal.Signals) -> list[str]:
    """The command that runs ``command`` and lets the system send it the signal ``end`` when this process dies."""
    return ["setpriv", "--pdeathsig", end.name.removeprefix("SIG"), *command]


@contextmanager
def running(command: list[str], end: signal.Signals, **options: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a server, which ends with the block or with this process.

    Args:
        command: which gets a process group of its own: Ctrl-C doesn't reach it, and its end can wait for others'.
        end: the signal that ends it in order.
        options: of :class:`subprocess.Popen`.
    """
    started = subprocess.Popen(bound(command, end), stdin=subprocess.DEVNULL, process_group=0, **options)
    try:
        yield started
    finally:
        if started.poll() is None:
            started.send_signal(end)
            try:
                started.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()
        with suppress(ProcessLookupError):  # nothing of it is left
            os.killpg(started.pid, signal.SIGKILL)
