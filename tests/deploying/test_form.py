import sys

import pytest
import torch

from pipeline.deploying import form
from pipeline.deploying.exported import read
from pipeline.deploying.form import Form


def copying(change=None, file="model.copy"):
    """A form that copies the exported program, whose loaded answers go through ``change``."""

    def write(exported, target):
        with target.open("wb") as stream:
            torch.export.save(exported.program, stream)

    def load(target):
        with target.open("rb") as stream:
            answer = torch.export.load(stream).module()
        return lambda *given: change(answer(*given)) if change else answer(*given)

    return Form(file, lambda: None, write, load)


def test_a_form_is_written_and_proved(export, monkeypatch, capsys):
    folder = export("linear", "table", num_examples=5)
    monkeypatch.setattr(sys, "argv", ["copy.py", "a"])
    form.command(copying(), "")
    size = f"{(folder / 'model.copy').stat().st_size:,}"
    assert capsys.readouterr().out == (
        f"outputs/a/model.copy: {size} bytes; for 5 test examples labels are the same, answers differ by 0 at most\n"
    )


def test_a_form_that_answers_otherwise_never_takes_its_place(export):
    folder = export("linear", "table", num_examples=5)
    (folder / "model.copy").write_text("the proved one")
    with pytest.raises(ValueError, match=r"model\.copy: 5 of 5 test examples differ by more than"):
        form.write(copying(lambda answers: answers + 0.001), read("a"), folder / "model.copy")
    assert (folder / "model.copy").read_text() == "the proved one"
    assert not list(folder.glob(".*"))


def test_what_a_library_refuses_is_an_error_for_the_user(export, monkeypatch):
    folder = export("linear", "table", num_examples=5)

    def refuse(exported, target):
        target.write_text("half")
        raise RuntimeError("no such operator")

    monkeypatch.setattr(sys, "argv", ["copy.py", "a"])
    with pytest.raises(
        SystemExit, match=r"^error: outputs/a/model.pt2 can't become m: RuntimeError: no such operator$"
    ):
        form.command(Form("m", lambda: None, refuse, lambda file: None), "")
    assert not (folder / "m").exists()


@pytest.mark.parametrize("arguments", [[], ["a", "b"], [""]], ids=str)
def test_one_run_must_be_named(arguments, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["somewhere/onnx.py", *arguments])
    with pytest.raises(SystemExit, match=r"^2$"):
        form.command(copying(), "")
    assert capsys.readouterr().err.startswith("usage: make onnx RUN=<name of an exported run>\n")
