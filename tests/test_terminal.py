"""What a person sees of `make repro`, on a terminal and in a log."""

import re

import pytest
from project import LINEAR, copy_project
from terminal import COLOUR, shown

pytestmark = pytest.mark.slow

MAKE = ("make", "--assume-old", "setup", "repro")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return copy_project(tmp_path_factory.mktemp("terminal"), LINEAR)


@pytest.fixture(scope="module")
def first(workspace):
    """What `make repro` writes into pipes the first time."""
    done = workspace.run(*MAKE, PYTHONPATH="src")
    return done.stdout, done.stderr


def watch(workspace, **variables):
    inherited = {name: value for name, value in workspace.environment.items() if name != "NO_COLOR"}
    environment = {**inherited, "PYTHONPATH": "src", "TERM": "xterm", **variables}
    status, said = shown([*MAKE], workspace.root, environment)
    assert status == 0, said
    return said


def test_a_log_says_what_there_is_to_do_and_what_came_of_it(first):
    out, err = first
    announcement, estimate, *others = [line for line in err.splitlines() if ": at work (" not in line]
    assert announcement == ("6 of 6 stages are out of date (data sets to prepare: 1, models to train: 1)")
    assert estimate.startswith("the first time")
    assert [re.match(r"first  epoch ([12])/2  ", line)[1] for line in others] == ["1", "2"]
    running, _, table = out.partition("\n\nrun ")
    assert re.findall("Running stage '(.*)'", running)[-1] == "export@first"
    assert re.search(r"^first +digits +linear +accuracy 0\.\d+  nll [\d.]+ +new$", table, flags=re.MULTILINE)
    assert "make ui" in table


def test_a_log_has_no_colour_no_bar_and_no_noise(first):
    for text in first:
        assert "\x1b" not in text and "\r" not in text
        assert "is empty" not in text and "WARNING" not in text.upper() and "MALLOC" not in text
        assert "git add" not in text and "autostage" not in text


def test_the_second_time_one_line_says_that_nothing_is_to_be_done(workspace, first):
    done = workspace.run(*MAKE, PYTHONPATH="src")
    assert (done.stdout, done.stderr) == ("", "everything is up to date\n")


def test_a_terminal_shows_bars_and_no_colours_if_they_are_unwanted(workspace, first):
    workspace.replace("params.yaml", "lr: 0.05", "lr: 0.01")  # of the first run
    said = watch(workspace, NO_COLOR="1")
    assert "2 of 6 stages are out of date (data sets to prepare: 0, models to train: 1); what reads" in said
    assert re.search(r"\rfirst 2/2 \|█+\| 00:00 left, loss [\d.]+, val_loss .* examples/s\r\n", said)
    assert re.search(r"^first .* accuracy was 0\.\d+\r$", said, flags=re.MULTILINE)
    assert not COLOUR.search(said) and "is empty" not in said


def test_dvc_has_its_colours_on_a_terminal_if_they_are_not_unwanted(workspace, first):
    workspace.replace("params.yaml", "evaluate: {batch_size: 1000}", "evaluate: {batch_size: 900}")
    said = watch(workspace)
    assert "Running stage 'evaluate@first'" in said and COLOUR.search(said)


def test_what_dvc_says_of_a_failure_is_shown(workspace, first):
    file = workspace.root / "data/digits.md5"
    content = file.read_text(encoding="utf-8")
    file.write_text("0" * 32 + "  digits.csv.gz\n", encoding="utf-8")
    failed = workspace.run(*MAKE, check=False, PYTHONPATH="src")
    file.write_text(content, encoding="utf-8")
    assert failed.returncode
    assert "error: " in failed.stderr and "ERROR: failed to reproduce 'download@digits'" in failed.stderr
