"""Ask git and DVC; what they refuse is the user's to know."""

import os
import subprocess
from pathlib import Path


def call(*command: str, folder: Path | None = None) -> str:
    """What ``command`` prints, run in ``folder`` or else here.

    Raises:
        ValueError: it failed; the message has its last line.
    """
    # It says where records go; a DVC that is started here must not take it over.
    environment = {name: value for name, value in os.environ.items() if name != "DVC_ROOT"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise ValueError(f"`{' '.join(command)}` failed: {lines[-1]}")
    return done.stdout
