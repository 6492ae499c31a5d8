import json
import subprocess
from pathlib import Path

import pytest

from pipeline.core.files import md5
from pipeline.tracking import projection


@pytest.mark.parametrize("is_of_this_model", [True, False])
def test_an_evaluation_of_another_model_is_no_part_of_the_run(tmp_path, monkeypatch, is_of_this_model):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    folder = Path("outputs/a")
    (folder / "plots" / "curves").mkdir(parents=True)
    (folder / "model.safetensors").write_text("weights")
    (folder / "history.csv").write_text("epoch,val_loss\n1,0.5\n")
    (folder / "metrics.json").write_text('{"accuracy": 0.5}')
    model = md5(folder / "model.safetensors")
    (folder / "record.json").write_text(json.dumps({"run": "a", "model_md5": model}))
    evaluated = {"model_md5": model if is_of_this_model else "0" * 32, "options": {"batch_size": 9}, "data": {"t": "1"}}
    (folder / "evaluation.json").write_text(json.dumps(evaluated))

    run = projection.from_outputs(folder)

    assert run.test == ({"accuracy": 0.5} if is_of_this_model else {})
    assert ("evaluate" in run.done) == is_of_this_model
    assert run.data == ({"t": "1"} if is_of_this_model else {})
    assert run.tags == ({"evaluate.batch_size": "9"} if is_of_this_model else {})
    assert {path.name for path in run.artifacts} >= {"model.safetensors", "record.json", "history.csv"}
    assert ("plots" in {path.name for path in run.artifacts}) == is_of_this_model


LOCK = """\
schema: '2.0'
stages:
  train@a:
    cmd: train
    params: {{params.yaml: {{seed: 1}}}}
    outs: [{{path: outputs/a/record.json, md5: {md5}}}]
"""


def git(*arguments):
    somebody = ("-c", "user.name=T", "-c", "user.email=t@localhost")
    return subprocess.run(["git", *somebody, *arguments], check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize(
    ("params", "is_of_this_commit"), [("seed: 1\n", True), ("seed: 2\n", False), ("seed: [\n", False)]
)
def test_a_commit_is_named_only_if_it_makes_this_model(tmp_path, monkeypatch, params, is_of_this_commit):
    monkeypatch.chdir(tmp_path)
    folder = Path("outputs/a")
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_text("weights")
    (folder / "history.csv").write_text("epoch,val_loss\n1,0.5\n")
    Path("code.py").touch()
    code = {"code.py": md5(Path("code.py"))}
    record = {"run": "a", "model_md5": md5(folder / "model.safetensors"), "code": code}
    (folder / "record.json").write_text(json.dumps(record))
    Path("dvc.lock").write_text(LOCK.format(md5=md5(folder / "record.json")))
    Path("params.yaml").write_text(params)
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "first")

    run = projection.from_outputs(folder)

    assert run.fallback == ({"mlflow.source.git.commit": git("rev-parse", "HEAD")} if is_of_this_commit else {})
    assert "train@a" in run.texts["dvc.lock"]
