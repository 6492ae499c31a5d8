import subprocess
import sys
from pathlib import Path

import pytest
import torch
from specimens import GENERATORS, PICTURES, READERS, SPECS, network, readers

from pipeline.exporting import torchscript

pytestmark = pytest.mark.slow  # two processes export every model


def test_both_forms_answer_as_the_network_without_our_code(exports, tmp_path):
    """For 0, 1 and 257 examples; images of any size and channels last in memory; texts of any length and script."""
    process = subprocess.run(
        [sys.executable, "-I", "-W", "error", Path(__file__).with_name("reload.py"), exports[0]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    names = [f"{name}_{modality}" for name, modality in READERS] + [f"{name}_image" for name, _ in GENERATORS]
    assert process.stdout.split() == sorted(names)


IMAGES = torch.zeros(2, 1, 14, 16).byte()
#: What stands at the message's end.
REFUSAL = r"images must be uint8 of shape \(N, 3, H, W\); these are (not )?uint8 (and )?of shape \[[\d, ]+\]\s*$"


@pytest.mark.parametrize("name", readers("image"))
@pytest.mark.parametrize("images", [torch.zeros(2, 3, 14, 16), IMAGES, IMAGES[:, 0]], ids=["dtype", "channels", "axes"])
def test_the_file_refuses_other_images_clearly(exports, name, images):
    program = torchscript.load(exports[0] / f"{name}_image/model.ts")
    with pytest.raises(torch.jit.Error, match=REFUSAL):
        program(images)


@pytest.mark.parametrize("name", readers("text"))
@pytest.mark.parametrize("given", [[1], [None], torch.ones(2, 3)], ids=str)
def test_the_file_refuses_what_is_no_list_of_texts_clearly(exports, name, given):
    program = torchscript.load(exports[0] / f"{name}_text/model.ts")
    with pytest.raises(RuntimeError, match=r"Expected a value of type 'List\[str\]' for argument 'texts'"):
        program(given)


@pytest.mark.parametrize(("name", "task"), GENERATORS)
def test_samples_depend_on_the_seed_alone(exports, name, task):
    program = torchscript.load(exports[0] / f"{name}_image/model.ts")
    before = torch.random.get_rng_state()
    first, same, other = (program.sample(7, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert (first.dtype, first.shape) == (torch.uint8, (7, *PICTURES.shape))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert program.sample(0, 1).shape == (0, *PICTURES.shape)


@pytest.mark.parametrize("name", readers("image", "vae"))
def test_images_go_to_latents_and_back(exports, name):
    program = torchscript.load(exports[0] / f"{name}_image/model.ts")
    images = torch.randint(0, 256, (4, 3, 30, 11)).byte()
    mean, log_variance = program.encode(images)
    assert mean.shape == log_variance.shape == (4, 20)
    torch.testing.assert_close(program.decode(mean), program(images))


@pytest.mark.parametrize("latents", [torch.zeros(2, 3), torch.zeros(2, 100, 1), torch.zeros(2, 100).double()])
@pytest.mark.parametrize("name", readers("image", "gan"))
def test_a_generator_refuses_other_latents(exports, name, latents):
    program = torchscript.load(exports[0] / f"{name}_image/model.ts")
    with pytest.raises(torch.jit.Error, match=r"latents must be float32 of shape \(N, 100\)"):
        program(latents)


@pytest.mark.parametrize(("name", "modality"), [reader for reader in READERS if reader[1] != "text"])
def test_the_file_tells_what_it_reads(exports, name, modality):
    assert torchscript.load(exports[0] / f"{name}_{modality}/model.ts").shape == list(SPECS[modality].shape)


@pytest.mark.parametrize("name", ["lenet", "cnn", "lstm", "resnet"])
def test_a_classifier_tells_what_its_last_layer_reads(exports, name):
    program = torchscript.load(exports[0] / f"{name}_image/model.ts")
    images = torch.randint(0, 256, (4, 3, 30, 11)).byte()
    features, last = program.features(images), dict(network(name, SPECS["image"]).named_modules())
    last = last["fc3" if name == "lenet" else "fc"]
    torch.testing.assert_close(last(features).softmax(1), program(images))
