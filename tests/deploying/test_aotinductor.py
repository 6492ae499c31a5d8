import os
import shutil
import subprocess
import sys

import pytest
import torch

from pipeline.deploying import form
from pipeline.deploying.aotinductor import FORM
from pipeline.deploying.exported import read

pytestmark = [
    pytest.mark.slow,  # compiles C++
    pytest.mark.skipif(shutil.which(os.environ.get("CXX", "g++")) is None, reason="there is no C++ compiler"),
]


def command(run, **environment):
    return subprocess.run(
        [sys.executable, "-m", "pipeline.deploying.aotinductor", run],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("model", "modality", "task"),
    [
        ("cnn", "image", "classification"),
        ("text_lstm", "text", "classification"),
        ("linear", "table", "regression"),
        ("dcgan", "image", "gan"),
    ],
    ids="-".join,
)
def test_a_compiled_program_answers_as_the_program_does(export, model, modality, task):
    folder = export(model, modality, task)
    exported = read("a")
    found = form.write(FORM, exported, folder / FORM.file)
    assert found["max_difference"] <= (1 / 255 if task == "gan" else 1e-5)
    package = torch._inductor.aoti_load_package(folder / FORM.file)
    assert exported.facts.items() <= package.get_metadata().items()
    if modality == "text":
        program = exported.program.module()
        for length in (1, 2, 12):
            given = torch.randint(1, 28, (3, length)), torch.tensor([length, 1, 0])
            torch.testing.assert_close(package(*given), program(*given), rtol=0, atol=1e-5)


ASK = """
import sys, torch
package = torch._inductor.aoti_load_package("outputs/a/model.aoti.pt2")
for number in (0, 1, 2, 300):
    assert package(torch.zeros(number, 4)).shape == (number, 5)
for wrong in (torch.zeros(2, 5), torch.zeros(2, 4).double()):
    try:
        package(wrong)
    except RuntimeError as error:
        print(str(error).splitlines()[0])
"""


def test_the_command_writes_the_same_bytes_again_and_they_can_check_what_they_are_given(export):
    folder = export("linear", "table")
    written = []
    for seed in "07":
        done = command("a", PYTHONHASHSEED=seed)
        assert done.returncode == 0, done.stderr
        assert "257 test examples labels are the same" in done.stdout
        written.append((folder / FORM.file).read_bytes())
    assert written[0] == written[1]
    environment = {**os.environ, "AOTI_RUNTIME_CHECK_INPUTS": "1"}
    done = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "input_handles[0]: unmatched dim value at 1, expected: 4, but got: 5",
        "input_handles[0]: unmatched dtype, expected: 6(at::kFloat), but got: 7",
    ]


def test_a_missing_compiler_is_named_with_its_remedy():
    done = command("a", CXX="no-such-compiler")
    assert (done.returncode, done.stdout) == (1, "")
    line = done.stderr.splitlines()[-1]
    assert line.startswith("error: No working C++ compiler found")
    assert line.endswith("'no-such-compiler'); install g++, or name another compiler in CXX")
