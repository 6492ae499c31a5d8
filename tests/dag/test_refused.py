"""What goes wrong gives one clear error and loses nothing."""

import re

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("epochs: 2", "epochs: two", "runs.vae.train.epochs: 'two' is not allowed"),
        ("momentum: 0.9", "momentun: 0.9", "runs.lenet.train.optimizer.momentun: 0.9 is under an unknown key; did you"),
        ("model: {name: lenet}", "model: {name: lenet, depth: 3}", "runs.lenet.model.depth: 3 is under an unknown key"),
        ("seed: 1\n", "", "seed: the key is missing"),
        ("  lenet:\n", "  lenet: &x\n    <<: *y\n", "params.yaml"),
    ],
)
def test_a_bad_parameter_file_deletes_nothing(workspace, old, new, expected):
    before = workspace.outputs()
    workspace.replace("params.yaml", old, new)
    refused = workspace.run("dvc", "repro", check=False)
    assert refused.returncode
    assert expected in refused.stderr + refused.stdout
    assert "Traceback" not in refused.stderr
    assert workspace.outputs() == before


def test_a_removed_run_is_no_longer_built_and_breaks_nothing(workspace):
    text = workspace.params.read_text()
    without_lenet = re.sub(r"comparisons:\n.*\n", "comparisons: {}\n", text[: text.index("  lenet:")])
    workspace.params.write_text(without_lenet)
    assert workspace.repro() == {"check"}


def test_a_damaged_raw_file_is_noticed_and_made_anew(workspace):
    raw = workspace.root / "data/raw/digits/digits.csv"
    whole = raw.read_bytes()
    raw.unlink()
    raw.write_bytes(whole[:1000])
    assert "digits" in workspace.run("dvc", "status").stdout
    workspace.repro()
    assert raw.read_bytes() == whole


def test_weights_cut_short_are_refused_with_the_remedy(workspace):
    weights = workspace.root / "outputs/c/model.safetensors"
    whole = weights.read_bytes()
    weights.unlink()
    weights.write_bytes(whole[:100])
    environment = {"PYTHONPATH": "src", "PYTHONHASHSEED": "0", "PIPELINE_TRACKING": "off"}
    for stage in ("evaluate", "export"):
        refused = workspace.run("python", f"stages/{stage}.py", "c", check=False, **environment)
        assert refused.returncode == 1
        assert refused.stderr.count("\n") == 1
        assert "outputs/c/model.safetensors" in refused.stderr and "dvc repro train@c" in refused.stderr


def test_an_output_folder_that_cannot_be_written_is_named(workspace):
    folder = workspace.root / "outputs/c"
    before = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    folder.rename(folder.with_name("kept"))
    folder.write_text("a file where a folder should be")
    refused = workspace.run(
        "python", "stages/train.py", "c", check=False, PYTHONPATH="src", PYTHONHASHSEED="0", PIPELINE_TRACKING="off"
    )
    assert refused.returncode == 1 and "outputs/c" in refused.stderr and "Traceback" not in refused.stderr
    kept = folder.with_name("kept")
    assert before == {file.name: file.read_bytes() for file in kept.iterdir() if file.is_file()}
