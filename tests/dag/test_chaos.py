import subprocess
import sys

import pytest
from project import ROOT

pytestmark = pytest.mark.slow


def test_killed_stages_end_in_the_bytes_of_uninterrupted_ones() -> None:
    command = [sys.executable, "tools/chaos.py", "--kills", "10", "--seed", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("10 kills, 0 ended in other bytes than those of an uninterrupted run\n")
