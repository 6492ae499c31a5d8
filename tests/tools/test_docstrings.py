"""tools/docstrings.py finds what a public docstring leaves out, and nothing in the tree."""

from pathlib import Path

import pytest
from docstrings import silent

ROOT = Path(__file__).parents[2]

SHAPE = "takes or returns arrays, and its docstring has no shape"
ERROR = "raises an error, and its docstring doesn't say when"


def complaints(folder, source):
    file = folder / "module.py"
    file.write_text(source)
    return [problem for _, problem in silent(file)]


def test_the_tree_is_complete():
    files = list((ROOT / "src/pipeline").rglob("*.py"))
    assert len(files) > 100
    assert [f"{file}:{line}: {problem}" for file in files for line, problem in silent(file)] == []


@pytest.mark.parametrize("array", ["Tensor", "torch.Tensor", "np.ndarray", "dict[str, Tensor]", "'Tensor | None'"])
def test_an_array_without_a_shape_is_found(tmp_path, array):
    assert complaints(tmp_path, f'def f(x: {array}) -> int:\n    """One (of many)."""\n') == [f"f {SHAPE}"]
    assert complaints(tmp_path, f'def f() -> {array}:\n    """Zeros."""\n') == [f"f {SHAPE}"]
    assert complaints(tmp_path, f"def f(x: {array}): ...\n") == [f"f {SHAPE}"]


@pytest.mark.parametrize(
    "shape", ["(N, C, H, W)", "(n,)", "(N + 1,)", "(N, *shape)", "(N, C', H/stride, W/stride)", "(N, ...)", "a scalar"]
)
def test_a_shape_is_one_however_it_is_written(tmp_path, shape):
    assert complaints(tmp_path, f'def f(x: Tensor) -> None:\n    """Of {shape}."""\n') == []


def test_a_class_says_it_for_its_methods_and_fields(tmp_path):
    method = "    def forward(self, x: Tensor) -> Tensor:\n        return x\n"
    assert complaints(tmp_path, f'class A:\n    """(N, F) -> (N,)."""\n\n{method}') == []
    assert complaints(tmp_path, f'class A:\n    """Does it."""\n\n{method}') == [f"forward {SHAPE}"]
    field = 'class A:\n    """Has {}."""\n\n    x: Tensor\n'
    assert complaints(tmp_path, field.format("numbers")) == ["A has arrays, and its docstring no shape"]
    assert complaints(tmp_path, field.format("(N,) numbers")) == []


def test_an_error_that_nobody_is_told_of_is_found(tmp_path):
    function = 'def f() -> None:\n    """{}"""\n    if {}:\n        raise ValueError("no")\n'
    assert complaints(tmp_path, function.format("Do it.", True)) == [f"f {ERROR}"]
    assert complaints(tmp_path, function.format("Do it.\n\n    Raises:\n        ValueError: always.\n    ", True)) == []
    assert complaints(tmp_path, function.format("Raise ``ValueError`` unless it works.", True)) == []


def test_what_is_private_within_or_of_a_callable_is_not_asked(tmp_path):
    assert complaints(tmp_path, "def _f(x: Tensor): ...\nclass _A:\n    def f(self, x: Tensor): ...\n") == []
    assert complaints(tmp_path, "def f() -> None:\n    def g() -> None:\n        raise ValueError\n") == []
    assert complaints(tmp_path, "def f(x: Callable[[Tensor], Tensor]): ...\n") == []
    assert complaints(tmp_path, "def f() -> None:\n    try:\n        g()\n    except OSError:\n        raise\n") == []
