"""Run a command as a person does, on a terminal of so many columns, and read what it shows."""

import os
import re
import subprocess
import termios
from pathlib import Path

#: What colours, underlines or makes bold; the reset alone (0, or nothing) shows nothing.
COLOUR = re.compile(r"\x1b\[(?!0?m)[0-9;]*m")


def shown(command: list[str], folder: Path, environment: dict[str, str], columns: int = 120) -> tuple[int, str]:
    """The exit status of ``command``, and all that it wrote to its terminal, standard output and error as one.

    Args:
        command: the program and its arguments.
        folder: where it runs.
        environment: its variables, of which those on the size of another terminal are left out.
        columns: of the terminal.
    """
    own = {name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES")}
    reader, writer = os.openpty()
    termios.tcsetwinsize(writer, (24, columns))
    process = subprocess.Popen(
        command, cwd=folder, env=own, stdin=writer, stdout=writer, stderr=writer, start_new_session=True
    )
    os.close(writer)
    content = b""
    with os.fdopen(reader, "rb", buffering=0) as terminal:
        while True:
            try:
                content += terminal.read(65536)
            except OSError:  # Linux says so when no process has the terminal open any more
                return process.wait(), content.decode()
