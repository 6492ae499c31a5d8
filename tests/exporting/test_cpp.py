import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from specimens import READERS, readers

from pipeline.core import storage
from pipeline.exporting import torchscript

SOURCE = Path(__file__).parents[2] / "examples/cpp"
missing = [tool for tool in ("cmake", os.environ.get("CXX", "g++")) if shutil.which(tool) is None]
pytestmark = [
    pytest.mark.slow,  # compiles C++, and two processes export every model
    pytest.mark.skipif(bool(missing), reason=f"{' and '.join(missing)} isn't installed"),
]
#: Empty, only spaces, unknown letters of 1 to 4 bytes, line ends and zeros, and longer than the longest.
TEXTS = ["", " \t\n", "Éa ß ﬁ", "日本語 и ελ", "😀b\0c", "a\nb\r\nc", "a\u0301\u0327b", "abc " * 30]


@pytest.fixture(scope="module")
def classify(tmp_path_factory):
    """Build examples/cpp; gives a function that calls the program."""
    build = tmp_path_factory.mktemp("build")
    for command in (
        ["cmake", "-S", SOURCE, "-B", build, f"-DPython3_EXECUTABLE={sys.executable}"],
        ["cmake", "--build", build, "--parallel", "2"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def call(*arguments):
        return subprocess.run([build / "classify", *arguments], capture_output=True, text=True, check=False)

    return call


def compare(classify, model, data):
    """Check that C++ gives every example of the test split the same label as Python, and the same probabilities."""
    done = classify(model, data / "test.safetensors")
    assert done.returncode == 0, done.stderr
    program, inputs = torchscript.load(model), storage.examples(storage.read(data, "test")).inputs
    expected = program(inputs.tolist() if inputs.dtype == object else torch.from_numpy(inputs))
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [label for label, *_ in rows] == [program.classes[label] for label in expected.argmax(1)]
    found = torch.tensor([[float(number) for number in numbers] for _, *numbers in rows])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("name", "modality"), READERS)
def test_cpp_and_python_agree_on_every_test_example(exports, classify, name, modality):
    folder = exports[0] / f"{name}_{modality}"
    compare(classify, folder / "model.ts", folder)


@pytest.mark.parametrize("name", readers("text"))
def test_cpp_and_python_agree_on_texts_of_any_script(exports, classify, tmp_path, name):
    folder = exports[0] / f"{name}_text"
    storage.write(tmp_path, {"test": storage.of_texts(TEXTS, [0] * len(TEXTS))}, storage.read_meta(folder))
    compare(classify, folder / "model.ts", tmp_path)


def test_other_input_than_the_program_reads_is_one_error(exports, classify):
    done = classify(exports[0] / "lenet_image/model.ts", exports[0] / "linear_table/test.safetensors")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert "images must be uint8 of shape (N, 3, H, W); these are not uint8 and of shape [257, 4]" in done.stderr
    assert len(done.stderr) < 1000
    done = classify(exports[0] / "lenet_image/model.ts", exports[0] / "text_cnn_text/test.safetensors")
    assert done.returncode == 1
    assert "Expected a value of type 'Tensor' for argument 'inputs' but instead found type 'List[str]'" in done.stderr


def test_a_generator_is_no_classifier(exports, classify):
    done = classify(exports[0] / "dcgan_image/model.ts", exports[0] / "dcgan_image/test.safetensors")
    assert done.returncode == 1
    assert done.stderr.endswith("model.ts: it names no classes, so it is no classifier\n")


@pytest.mark.parametrize("name", ["model.ts", "test.safetensors"])
def test_a_missing_or_truncated_file_is_one_error_that_names_it(exports, classify, tmp_path, name):
    folder = exports[0] / "linear_table"
    content, files = (folder / name).read_bytes(), {file: folder / file for file in ("model.ts", "test.safetensors")}
    damaged = files[name] = tmp_path / name
    for number in (None, 0, 7, 8, 9, 100, len(content) // 2, len(content) - 1):
        if number is not None:
            damaged.write_bytes(content[:number])
        done = classify(*files.values())
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("error: ")
        assert str(damaged) in done.stderr
    assert classify(tmp_path, folder / "test.safetensors").returncode == 1
    assert classify().stderr == "usage: classify MODEL.ts TEST.safetensors\n"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[257,4]", "[256,4]", "more or fewer bytes than its shape says"),
        ("[257,4]", "[257,-4", "its header lacks"),
        ('"F32"', '"F64"', "dtype F64 isn't among"),
        ('"inputs"', '"output"', "it has neither inputs nor texts"),
        ("[257,4]", f"[{2**62},4]", "larger than any memory"),
        ("[257,4]", f"[{2**64},4]", "its header lacks a number"),
    ],
)
def test_a_damaged_header_is_one_error(exports, classify, tmp_path, old, new, message):
    folder, damaged = exports[0] / "linear_table", tmp_path / "test.safetensors"
    content = (folder / "test.safetensors").read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = content[8 : 8 + length].decode()
    assert old in header
    changed = header.replace(old, new).encode()
    damaged.write_bytes(len(changed).to_bytes(8, "little") + changed + content[8 + length :])
    done = classify(folder / "model.ts", damaged)
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr
