"""The examples of CONTRIBUTING.md, taken from the text: two files, under 40 lines, and a run in MLflow."""

import json
import re
import shutil
import warnings

import pytest
from documents import blocks
from user import new_user

from pipeline.tracking import projection

pytestmark = pytest.mark.slow

#: Title in CONTRIBUTING.md -> the new file, and the commands that the text names.
EXAMPLES = {
    "A new model": ("src/pipeline/models/mlp.py", "dvc repro evaluate@mlp export@mlp", "pytest tests/models -k mlp"),
    "A new data set": (
        "src/pipeline/datasets/wine.py",
        "dvc repro evaluate@wine export@wine",
        "pytest tests/datasets -k wine",
    ),
}


def inserted(params: str, block: str) -> str:
    """The parameters with the block's lines, each under its key."""
    for key, lines in re.findall(r"^(\w+):\n((?: .*\n)+)", block, flags=re.MULTILINE):
        params, count = re.subn(
            rf"^{key}:.*\n", lambda found, lines=lines: found[0] + lines, params, flags=re.MULTILINE
        )
        assert count == 1
    return params


@pytest.fixture(scope="module")
def user(tmp_path_factory):
    """A user who has done what the text says; ``changes`` has the difference that each example made."""
    user = new_user(tmp_path_factory.mktemp("examples") / "project")
    user.changes = {title: follow(user, title) for title in EXAMPLES}
    yield user
    shutil.rmtree(user.root / ".pipeline", ignore_errors=True)  # the publishing process ends


def follow(user, title):
    [code] = [block.text for block in blocks("CONTRIBUTING.md", "python") if block.title == title]
    [entry] = [block.text for block in blocks("CONTRIBUTING.md", "yaml") if block.title == title]
    user.root.joinpath(EXAMPLES[title][0]).write_text(code, encoding="utf-8")
    params = user.workspace.params
    params.write_text(inserted(params.read_text(encoding="utf-8"), entry), encoding="utf-8")
    user.workspace.run("git", "add", "--all")
    changes = user.workspace.run("git", "diff", "--cached", "--unified=0").stdout
    user.workspace.run("git", "commit", "-qm", title)
    return changes


@pytest.mark.parametrize("title", EXAMPLES)
def test_two_files_get_less_than_40_lines(user, title):
    changes = user.changes[title]
    lines = [line for line in changes.splitlines() if re.match(r"[+-](?!\+\+|--)\s*\S", line)]

    assert set(re.findall(r"^\+\+\+ b/(.*)", changes, flags=re.MULTILINE)) == {EXAMPLES[title][0], "params.yaml"}
    assert all(line.startswith("+") for line in lines)
    assert len(lines) < 40


@pytest.mark.parametrize("title", EXAMPLES)
def test_they_make_a_model_with_its_run(user, title):
    _, repro, _ = EXAMPLES[title]
    name = repro.rpartition("@")[2]
    for command in (repro, "make track"):
        done = user.types(command)
        assert done.status == 0, done.said[-6000:]
    record, metrics = (
        json.loads((user.root / "outputs" / name / file).read_text(encoding="utf-8"))
        for file in ("record.json", "metrics.json")
    )
    tracked = mlflow_run(user, name)

    assert tracked.data.params.items() >= projection.params(record).items()
    assert {metric: tracked.data.metrics[f"test/{metric}"] for metric in metrics} == pytest.approx(metrics)
    assert metrics["accuracy"] > 0.8


@pytest.mark.parametrize("title", EXAMPLES)
def test_the_tests_of_all_find_them(user, title):
    done = user.types(EXAMPLES[title][-1])

    assert done.status == 0, done.said[-6000:]
    assert re.search(r"\d passed", done.said)


def mlflow_run(user, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, of what it uses of SQLAlchemy and others
        from mlflow import MlflowClient

        client = MlflowClient(f"sqlite:///{user.root}/mlruns/mlflow.db")
        runs = client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])
    [run] = [run for run in runs if run.info.run_name.startswith(f"{name} · ")]
    return run


def test_every_example_of_the_text_is_tried():
    titles = [block.title for language in ("python", "yaml") for block in blocks("CONTRIBUTING.md", language)]
    assert titles == [*EXAMPLES, *EXAMPLES]
