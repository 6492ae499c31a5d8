import json
import subprocess
import sys

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

pytestmark = pytest.mark.slow

GOOD, BETTER, WORSE, BEST = ("0001" * 16, 0.6), ("0002" * 16, 0.75), ("0003" * 16, 0.7), ("0004" * 16, 0.9)


def aliases(outputs):
    return [sorted(version.aliases) for version in outputs.versions()]


def test_the_best_is_champion_and_every_decision_has_its_reason(outputs):
    outputs.put(*GOOD)
    assert outputs.promote() == "version 1 is champion: accuracy 0.6, the first champion"
    assert outputs.promote() == "version 1 is champion already"
    assert aliases(outputs) == [["candidate", "champion"]]

    outputs.put(*BETTER)
    assert outputs.promote() == "version 2 is champion: accuracy 0.75, version 1 had 0.6"
    outputs.put(*WORSE)
    reason = "accuracy 0.7 isn't better than the champion's 0.75 by 0.1"
    assert outputs.promote() == f"version 3 stays candidate: {reason}"
    assert aliases(outputs) == [[], ["champion"], ["candidate"]]
    first, second, third = outputs.versions()
    assert (third.tags["pipeline.decision"], third.tags["pipeline.reason"]) == ("candidate", reason)
    assert second.tags["pipeline.decision"] == "champion"
    assert first.tags["pipeline.reason"] == "version 2 surpassed it"
    assert first.tags["pipeline.champion_until"] == second.tags["pipeline.champion_since"]
    assert json.loads(second.tags["pipeline.metrics"]) == {"accuracy": 0.75}

    # The same model again is the same version.
    outputs.put(*GOOD)
    assert outputs.promote().startswith("version 1 stays candidate: accuracy 0.6 isn't better")
    assert aliases(outputs) == [["candidate"], ["champion"], []]


def test_other_test_data_decide_nothing_and_a_demoted_champion_stays_demoted(outputs):
    outputs.put(*GOOD)
    outputs.promote()
    outputs.put(*BETTER)
    outputs.promote()
    outputs.put(*BEST, test_md5="4" * 32)
    assert "version 3 stays candidate: the champion, version 2, was judged on other test data" in outputs.promote()

    assert outputs.demote() == "version 2 was demoted; version 1 is champion again"
    assert outputs.demote() == "version 1 was demoted; there is no champion now"
    with pytest.raises(ValueError, match="'lenet' has no champion to demote; registered models: lenet"):
        outputs.demote()
    outputs.put(*BETTER)
    assert "version 2 stays candidate: it was demoted on " in outputs.promote()
    outputs.put(*BEST, test_md5="4" * 32)
    assert outputs.promote() == "version 3 is champion: accuracy 0.9, the first champion"


def test_distances_compare_in_the_features_of_one_classifier_only(outputs):
    outputs.put(*GOOD)
    outputs.compare(30.0, "a" * 32)
    assert outputs.promote() == "version 1 is champion: frechet_distance 30, the first champion"
    outputs.put(*BETTER)
    outputs.compare(20.0, "a" * 32)
    assert outputs.promote() == "version 2 is champion: frechet_distance 20, version 1 had 30"
    outputs.put(*BEST)
    outputs.compare(1.0, "b" * 32)
    assert "version 3 stays candidate: the champion, version 2, was judged on other test data or compared" in (
        outputs.promote()
    )


def test_a_generator_that_is_to_be_compared_is_not_registered_before(outputs):
    outputs.put(*GOOD)
    outputs.compare(30.0, "a" * 32)
    (outputs.folder / "comparison.json").unlink()
    with pytest.raises(ValueError, match=r"isn't complete; run `dvc repro compare@lenet`"):
        outputs.promote()


def test_a_champion_without_the_metric_is_no_error(outputs):
    outputs.put(*GOOD)
    outputs.promote()
    outputs.put(*BETTER)
    outputs.compare(30.0, "a" * 32)
    assert "version 2 stays candidate: the champion, version 1, was judged on other" in outputs.promote()


def test_a_title_regained_can_be_lost_again(outputs):
    outputs.put(*GOOD)
    outputs.promote()
    outputs.demote()
    outputs.allow_again("1")
    assert outputs.promote() == "version 1 is champion: accuracy 0.6, the first champion"
    assert not outputs.versions()[0].tags["pipeline.champion_until"]

    assert outputs.demote() == "version 1 was demoted; there is no champion now"
    assert aliases(outputs) == [["candidate"]]


def test_a_program_that_export_does_not_tell_of_is_not_registered(outputs):
    outputs.put(*GOOD)
    (outputs.folder / "model.ts").write_bytes(b"another")

    with pytest.raises(ValueError, match="isn't what export"):
        outputs.promote()
    assert outputs.versions() == []


def test_a_registry_that_does_not_answer_is_no_registry_without_champion(outputs, monkeypatch):
    outputs.put(*GOOD)
    outputs.promote()
    outputs.put(*WORSE)

    def fail(self, name):
        raise MlflowException("API request failed")

    monkeypatch.setattr(MlflowClient, "get_registered_model", fail)
    with pytest.raises(MlflowException, match="API request failed"):
        outputs.promote()
    assert "champion" in outputs.versions()[0].aliases


def test_a_model_below_the_threshold_or_without_a_criterion_stays_candidate(outputs):
    outputs.put("0005" * 16, 0.4)
    assert outputs.promote() == "version 1 stays candidate: accuracy 0.4 misses the threshold 0.5 (max)"
    params = outputs.root / "params.yaml"
    params.write_text("".join(line for line in params.read_text().splitlines(True) if "promote" not in line))
    assert outputs.promote() == "version 1 stays candidate: params.yaml has no runs.lenet.promote"


def test_the_commands_say_what_they_did_and_what_is_missing(outputs):
    outputs.put(*GOOD)
    exported = (outputs.folder / "export.json").rename(outputs.folder / "beside.json")
    done = outputs.run("promotion.promote")
    assert (done.returncode, done.stdout) == (1, "")
    assert "run `dvc repro export@lenet`" in done.stderr

    exported.rename(outputs.folder / "export.json")
    done = outputs.run("promotion.promote")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "lenet: version 1 is champion: accuracy 0.6, the first champion\n"
    told = [outputs.run("promotion.demote", "lenet") for _ in range(2)]
    assert told[0].stdout == "lenet: version 1 was demoted; there is no champion now\n"
    assert told[1].stderr == "error: ValueError: 'lenet' has no champion to demote; registered models: lenet\n"
    assert [done.returncode for done in told] == [0, 1]


def test_a_registered_model_answers_without_our_code_and_unpickles_nothing(outputs):
    outputs.put(*GOOD)
    outputs.promote()
    program = """
import sys
sys.modules["pipeline"] = None  # importing it is an error
import mlflow, numpy as np
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/lenet@champion")
print(model.metadata.signature.inputs, model.metadata.signature.outputs, sep="; ")
print(model.predict(np.full((1, 1, 8, 8), 7, np.uint8)).tolist())
print(model.predict(model.metadata.load_input_example(sys.argv[2])).shape)
"""
    [version] = outputs.versions()
    place = version.source.removeprefix("file://")
    command = [sys.executable, "-c", program, f"sqlite:///{outputs.root}/mlruns/mlflow.db", place]
    done = subprocess.run(command, cwd=outputs.root / "data", capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    signature, answer, shape = done.stdout.splitlines()
    assert signature == "[Tensor('uint8', (-1, 1, -1, -1))]; [Tensor('float32', (-1, 10))]"
    assert json.loads(answer) == [[8.0] * 10]
    assert shape == "(2, 10)"
    kept = [file.name for file in (outputs.root / "mlruns/artifacts").rglob("*") if file.is_file()]
    assert "served.py" in kept and not [name for name in kept if name.endswith((".pkl", ".pickle"))]
