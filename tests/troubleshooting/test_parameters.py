"""Mistakes in params.yaml: each is refused before anything is deleted, and the message has what helps."""

import re

import pytest

pytestmark = pytest.mark.slow

CHECK = "python -m pipeline.checking"


def suggested(printed: str) -> str:
    [name] = re.findall("did you mean '(.*?)'", printed)
    return name


def test_a_tab_in_params_yaml(row, project, shell):
    project.replace("params.yaml", "    task:", "\t\ttask:")

    assert row.is_in(shell.fails("make repro"))
    project.replace("params.yaml", "\t\t", "    ")
    shell.works(CHECK)


def test_a_merge_conflict_in_params_yaml(row, quick, shell):
    for branch, seed in (("other", 2), ("main", 3)):
        shell.works(f"git checkout -q -B {branch} {'main' if branch == 'other' else ''}")
        quick.replace("params.yaml", "seed: 1", f"seed: {seed}")
        shell.works(f"git commit -qam {branch}")
        if branch == "other":
            shell.works("git checkout -q main")
    shell.fails("git merge other")

    assert row.is_in(shell.fails("make repro"))
    shell.works(f"{row.helps[0]} && make repro")
    assert "seed: 3" in (quick.root / "params.yaml").read_text()


def test_a_misspelt_key(row, project, shell):
    project.replace("params.yaml", "epochs:", "epoch:")
    printed = shell.fails("make repro")

    assert row.is_in(printed)
    project.replace("params.yaml", "epoch:", f"{suggested(printed)}:")
    shell.works(CHECK)


def test_a_word_where_a_number_belongs(row, project, shell):
    project.replace("params.yaml", "lr: 0.05", "lr: fast")

    assert row.is_in(shell.fails("make repro"))
    project.replace("params.yaml", "lr: fast", f"lr: {row.helps[0]}")
    shell.works(CHECK)


def test_a_model_that_does_not_exist(row, project, shell):
    project.replace("params.yaml", "name: linear", "name: liner")
    printed = shell.fails("make repro")

    assert row.is_in(printed)
    project.replace("params.yaml", "name: liner", f"name: {suggested(printed)}")
    shell.works("dvc repro check")


def test_a_data_set_that_is_not_listed(row, project, shell):
    project.replace("params.yaml", "dataset: digits", "dataset: mnist")
    printed = shell.fails("make repro")

    assert row.is_in(printed)
    [line] = re.findall(r"^  mnist: .*\n", printed, re.MULTILINE)
    project.replace("params.yaml", "datasets:\n", f"datasets:\n{line}")
    shell.works(CHECK)
