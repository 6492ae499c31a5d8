"""Processes that share a batch take the step that one alone takes."""

import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
import specimens
import torch

import pipeline

pytestmark = pytest.mark.slow

NETWORKS = ("lenet", "resnet", *(name for name, _ in specimens.GENERATORS))
NAMES = [" ".join(case) for case in product(NETWORKS, ("51", "1"), ("1", "3"))]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Number of processes -> name of the update -> its losses and changes."""
    folder = tmp_path_factory.mktemp("updates")
    source = f"{Path(pipeline.__file__).parents[1]}:{Path(specimens.__file__).parent}"
    results = {}
    for number in (1, 2, 3):
        script = [Path(__file__).with_name("updates.py"), folder / str(number)]
        command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(number), *script]
        environment = {**os.environ, "PYTHONPATH": source, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        results[number] = torch.load(folder / str(number), weights_only=True)
    return results


# Batch norm sees one piece at a time, so that pieces of it aren't the whole.
CUT = [name for name in NAMES if name.endswith("51 3") and name.split()[0] in ("lenet", "vae", "conv_vae")]


@pytest.mark.parametrize("number", [2, 3])
@pytest.mark.parametrize("name", [*(name for name in NAMES if not name.endswith("51 3")), *CUT])
def test_several_processes_take_the_step_of_one(found, name, number):
    (losses, changes), others = found[1][name], found[number][name]
    if " 1 " in name:  # its bias correction counts copies of the one example
        changes = {key: change for key, change in changes.items() if not key.endswith("running_var")}
    assert_same((losses, changes), others)


@pytest.mark.parametrize("name", CUT)
def test_accumulated_pieces_make_the_step_of_the_whole(found, name):
    assert_same(found[1][name.removesuffix("3") + "1"], found[1][name])


def assert_same(one, other):
    """Sums of 10⁵ float32 terms in another order differ by about 10⁻⁷ · √10⁵ of their size; layers multiply that."""
    (losses, changes), (others_losses, others) = one, other
    for loss, value in losses.items():
        torch.testing.assert_close(others_losses[loss], value, rtol=1e-4, atol=1e-6)
    for key, change in changes.items():
        assert (others[key] - change).double().norm() <= 1e-4 * change.double().norm() + 1e-7, key
