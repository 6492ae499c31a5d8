"""A stage imports only what it needs: PyTorch takes 2 s and more, torchvision and MLflow as much again."""

import re

import pytest

pytestmark = pytest.mark.slow

HEAVY = {"torch", "torchvision", "sklearn", "scipy", "matplotlib", "mlflow", "pandas", "PIL", "pydantic", "sympy"}


@pytest.mark.parametrize(
    ("stage", "argument", "needed"),
    [
        ("check", "data/checked.txt", {"pydantic", "torch", "sympy"}),
        # scikit-learn imports pandas where it is installed, and MLflow needs it.
        ("download", "digits", {"pydantic", "sklearn", "scipy", "pandas"}),
        ("preprocess", "digits", {"pydantic", "sklearn", "scipy", "pandas", "PIL"}),
        ("train", "lenet", {"pydantic", "torch"}),
        ("evaluate", "lenet", {"pydantic", "torch", "sklearn", "scipy", "pandas", "matplotlib", "PIL"}),
        ("export", "lenet", {"pydantic", "torch", "sympy"}),
        ("train", "gan", {"pydantic", "torch", "PIL"}),
        ("evaluate", "vae", {"pydantic", "torch", "matplotlib", "PIL"}),
        # torchmetrics imports what any of its metrics needs.
        ("compare", "gan", HEAVY - {"mlflow"}),
    ],
)
def test_nothing_else_is_imported(workspace, stage, argument, needed):
    command = ["python", "-X", "importtime", f"stages/{stage}.py", argument]
    printed = workspace.run(*command, PYTHONPATH="src", PYTHONHASHSEED="0", PIPELINE_TRACKING="on").stderr
    imported = set(re.findall(r"\| +(\w+)$", printed, flags=re.MULTILINE))
    assert imported & HEAVY == needed
