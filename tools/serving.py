"""`make ui` without the terminal: the project's own command serves a store, and what it printed is read."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

#: Seconds that the server may take to answer: importing MLflow on a busy machine.
PATIENCE = 180


def free_port() -> int:
    """A port of this machine on which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def served(root: Path, environment: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Serve the store of the project in ``root``; gives the server's address, and experiment -> the one printed for it.

    Raises:
        RuntimeError: the server ended, or didn't answer in time; its last lines are in the message.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "pipeline.tracking.ui", "--port", str(port), "--workers", "1"]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command,
            cwd=root,
            env={**environment, "PYTHONPATH": str(root / "src")},
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait(process, f"{address}/health", said)
            lines = _text(said).splitlines()
            yield address, dict(line.split(": ", 1) for line in lines if f": {address}/#/" in line)
        finally:
            with suppress(ProcessLookupError):  # it ended by itself
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", address: str, said: BinaryIO) -> None:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"MLflow's server doesn't answer:\n{_text(said)[-4000:]}")


def _text(said: BinaryIO) -> str:
    said.seek(0)
    return said.read().decode(errors="replace")
