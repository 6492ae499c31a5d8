"""Say where a public docstring is silent on the shapes of arrays or on what is raised.

Ruff has the form of docstrings (D), but no linter knows a shape, and its rule for errors (DOC501) also asks private
functions. A method may leave both to its class, and an overriding one refer to the base: ``See :meth:`Base.method```.
"""

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

AXIS = r"(?:\*?\w[\w']*(?: ?[-+*/] ?\w+)?|\.\.\.)"
#: ``(N, C, H, W)``, ``(n,)``, ``(N + 1,)``, ``(N, *shape)``, ``(N, C', H/stride, W/stride)``, or words for one.
SHAPE = re.compile(rf"\({AXIS},(?: {AXIS},?)*\)|\b[Ss]calars?\b|\b(?:any|same) shape\b|[Ss]ee :(?:class|meth):")
RAISES = re.compile(r"^\s*Raises:$|Raise ``|[Ss]ee :meth:", re.MULTILINE)
ARRAYS = {"Tensor", "ndarray"}


def silent(file: Path) -> Iterator[tuple[int, str]]:
    """Line and complaint for each public class, function and method of a source file that leaves something out."""
    yield from _in(ast.parse(file.read_text(encoding="utf-8")).body, "")


def _in(body: list[ast.stmt], of_class: str) -> Iterator[tuple[int, str]]:
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            told = ast.get_docstring(node) or ""
            fields = [child.annotation for child in node.body if isinstance(child, ast.AnnAssign)]
            if any(map(_has_array, fields)) and not SHAPE.search(told):
                yield node.lineno, f"{node.name} has arrays, and its docstring no shape"
            yield from _in(node.body, told)
        elif isinstance(node, ast.FunctionDef) and (node.name == "__init__" or not node.name.startswith("_")):
            told = f"{of_class}\n{ast.get_docstring(node) or ''}"
            if any(map(_has_array, _signature(node))) and not SHAPE.search(told):
                yield node.lineno, f"{node.name} takes or returns arrays, and its docstring has no shape"
            if any(map(_raises, node.body)) and not RAISES.search(told):
                yield node.lineno, f"{node.name} raises an error, and its docstring doesn't say when"


def _signature(node: ast.FunctionDef) -> list[ast.expr]:
    arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    return [found for found in (*(each.annotation for each in arguments), node.returns) if found]


def _has_array(annotation: ast.expr) -> bool:
    """What a callable takes and gives is said where it is defined."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return _has_array(ast.parse(annotation.value, mode="eval").body)
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Callable":
        return False
    name = getattr(annotation, "attr", getattr(annotation, "id", ""))
    return name in ARRAYS or any(_has_array(c) for c in ast.iter_child_nodes(annotation) if isinstance(c, ast.expr))


def _raises(node: ast.AST) -> bool:
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda):
        return False
    own = isinstance(node, ast.Raise) and node.exc is not None and "NotImplementedError" not in ast.unparse(node.exc)
    return own or any(map(_raises, ast.iter_child_nodes(node)))


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    root = Path(__file__).parents[1]
    problems = [
        f"{file.relative_to(root)}:{line}: {problem}"
        for file in sorted((root / "src/pipeline").rglob("*.py"))
        for line, problem in silent(file)
    ]
    sys.exit("\n".join(problems) or 0)
