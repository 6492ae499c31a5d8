import os
import re
import shutil
import sys
import termios
from contextlib import contextmanager

import pytest
import torch
from project import LINEAR, ROOT, copy_project
from terminal import shown

from pipeline.watching.progress import NUM_FIRST, NUM_LINES, REFRESH, Progress

LINE = re.compile(
    r"first  epoch (\d+)/(\d+)  train_loss [\d.]+  val_loss [\d.]+  val_accuracy [\d.]+  \(best .* ex\S+/s\)"
)


def rows(num_epochs):
    return [{"epoch": n, "train_loss": 2.0 / n, "val_accuracy": 0.5 + (n == 7) / 4} for n in range(1, num_epochs + 1)]


def watched(num_epochs, *seen, history=()):
    """A display that has been told of the epochs ``seen``, of 100 examples in 4 steps each."""
    first_step = 4 * len(history)
    with Progress("first", num_epochs, 100, 4, first_step, list(history), "val_accuracy", max) as progress:
        for row in seen:
            for step in range(4 * row["epoch"] - 3, 4 * row["epoch"] + 1):
                progress.on_step(step, {"loss": torch.tensor(1.0)})
            progress.on_epoch(row)


@contextmanager
def terminal(monkeypatch):
    """Gives a function for what a terminal of 120 columns shows of what is written to standard error."""
    reader, writer = os.openpty()
    termios.tcsetwinsize(writer, (24, 120))
    os.set_blocking(reader, False)
    with (
        os.fdopen(writer, "w") as stream,
        os.fdopen(reader, "rb", buffering=0) as other,
        monkeypatch.context() as patch,
    ):
        patch.setattr(sys, "stderr", stream)
        patch.setenv("TERM", "xterm")
        patch.setenv("COLUMNS", "120")
        yield lambda: b"".join(iter(lambda: other.read(65536), None)).decode()  # a read brings 4 KiB at most


def test_a_short_training_has_a_line_for_each_epoch(capsys):
    watched(10, *rows(10))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[2] for line in lines] == [f"{n}/10" for n in range(1, 11)]
    assert lines[7].startswith("first  epoch 8/10  train_loss 0.2500  val_accuracy 0.5000  (best 0.7500, ")


def test_a_long_training_has_few_lines_and_its_last_epoch(capsys):
    watched(200, *rows(87))  # patience has ended it
    epochs = [int(line.split()[2].partition("/")[0]) for line in capsys.readouterr().err.splitlines()]
    assert epochs[:NUM_FIRST] == [1, 2, 3] and epochs[-1] == 87
    assert len(epochs) <= NUM_FIRST + NUM_LINES + 1 and epochs[NUM_FIRST:-1] == list(range(7, 87, 7))


def test_an_epoch_that_was_left_out_is_told_of_when_the_next_fails(capsys):
    with pytest.raises(ValueError), Progress("first", 200, 100, 4, 0, [], "val_accuracy", max) as progress:
        for row in rows(10):
            progress.on_epoch(row)
        raise ValueError
    assert capsys.readouterr().err.splitlines()[-1].startswith("first  epoch 10/200 ")


def test_the_best_of_epochs_before_an_interruption_counts(capsys):
    watched(10, rows(9)[8], history=rows(8))
    assert "val_accuracy 0.5000  (best 0.7500, " in capsys.readouterr().err


def test_a_bar_looks_at_the_loss_as_seldom_as_it_says(monkeypatch):
    losses = {"loss": torch.empty((), device="meta")}  # a look at which is an error
    with terminal(monkeypatch), Progress("first", 10, 1000, 100, 0, [], "val_accuracy", max) as progress:
        for step in range(1, REFRESH):
            progress.on_step(step, losses)
        with pytest.raises(RuntimeError, match="meta"):
            progress.on_step(REFRESH, losses)


def test_without_a_terminal_nothing_looks_at_the_loss():
    with Progress("first", 10, 1000, 100, 0, [], "val_accuracy", max) as progress:
        for step in range(1, 2 * REFRESH + 1):
            progress.on_step(step, {"loss": torch.empty((), device="meta")})


def test_the_bar_of_a_training_that_patience_ended_is_full(monkeypatch):
    with terminal(monkeypatch) as content:
        watched(200, *rows(87))
        last = content().rstrip().rpartition("\r")[2]
    assert re.match(r"first 87/200 \|█+\| 00:00 left, loss 0.02299, val_accuracy 0.5 \(best 0.75\), ", last), last


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A copy whose run can be trained by its stage alone, of more steps than the bar waits for."""
    copy = copy_project(tmp_path_factory.mktemp("progress"), LINEAR.replace("epochs: 2", "epochs: 40"))
    for stage in ("download", "preprocess"):
        copy.run("python", f"stages/{stage}.py", "digits", PYTHONPATH="src")
    return copy


def begin(workspace):
    """Let it train anew: it would go on from the last step."""
    shutil.rmtree(workspace.root / ".pipeline", ignore_errors=True)


def train(workspace, columns, **variables):
    begin(workspace)
    environment = {**workspace.environment, "PYTHONPATH": "src", "TERM": "xterm", **variables}
    status, said = shown(["python", "stages/train.py", "first"], workspace.root, environment, columns)
    assert status == 0, said
    return said


WIDE = r"\rfirst {}/40 \|.*\| \d\d:\d\d left, loss [\d.e-]+, val_loss [\d.]+ \(best [\d.]+\), [\d.]+k? examples/s"
NARROW = r"\rfirst {}/40: \d\d:\d\d left, loss [\d.e-]+, val [\d.]+ \(best [\d.]+\), [\d.]+k? ex/s"


@pytest.mark.parametrize(("columns", "pattern"), [(120, WIDE), (80, NARROW)])
def test_a_terminal_gets_one_bar_that_ends_complete(workspace, columns, pattern):
    said = train(workspace, columns)
    states = said.removesuffix("\r\n").split("\r\n")
    assert len(states) == 1, "more than one line was kept"
    *_, last = states[0].split("\r")
    assert re.fullmatch(pattern.format(40), f"\r{last.rstrip()}"), last
    assert re.search(pattern.format(r"[1-9]\d?"), said), "no metric was shown while it trained"
    assert all(len(state.rstrip()) <= columns for state in states[0].split("\r"))
    assert "\x1b" not in said


def test_a_dumb_terminal_and_a_pipe_get_plain_lines(workspace, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from memory import RATE

    dumb = train(workspace, 120, TERM="dumb")
    begin(workspace)
    piped = workspace.run("python", "stages/train.py", "first", PYTHONPATH="src")
    assert piped.stdout == ""
    for lines in (dumb.split("\r\n")[:-1], piped.stderr.splitlines()):
        assert all(LINE.fullmatch(line) for line in lines), lines
        assert [line.split()[2] for line in lines] == [f"{n}/40" for n in (1, 2, 3, *range(4, 41, 2))]
        assert all(RATE.search(line) for line in lines), "benchmarks/memory.py doesn't find the rate"
