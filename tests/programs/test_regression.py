import pytest
import torch

from pipeline.core import rooms
from pipeline.core.spec import DataSpec
from pipeline.core.storage import Meta
from pipeline.exporting import pt2, torchscript
from pipeline.network import building
from pipeline.network.inputs import Standardize
from pipeline.programs.regression import Program

CASES = [("linear", "table", (4,))] + [(name, "image", (1, 14, 16)) for name in rooms.names("models")]


def program_of(name, modality, shape):
    spec = DataSpec(modality=modality, shape=shape, num_classes=0)
    meta = Meta(spec=spec, classes=(), counts={}, scale=2.0, mean=(0.3,) * shape[0], std=(0.2,) * shape[0])
    torch.manual_seed(0)
    network, _ = building.build({"name": name}, spec, "runs.a.model")
    return Program(network, meta).eval(), meta


@pytest.mark.parametrize(("name", "modality", "shape"), CASES, ids=str)
@pytest.mark.parametrize("num_examples", [1, 3, 257])
def test_it_predicts_one_number_an_example(name, modality, shape, num_examples):
    program, meta = program_of(name, modality, shape)
    inputs = torch.randint(0, 256, (num_examples, *shape))
    inputs = inputs.byte() if modality == "image" else inputs.float()
    answers = program(inputs)
    assert (answers.shape, answers.dtype) == ((num_examples,), torch.float32)
    assert torch.equal(answers, program.model(Standardize(meta)(inputs))[:, 0])


@pytest.mark.parametrize("form", [torchscript, pt2])
def test_a_file_takes_any_number_of_rows(form, tmp_path):
    program, meta = program_of("linear", "table", (4,))
    program.requires_grad_(False)
    file = tmp_path / "file"
    torchscript.write(program, file) if form is torchscript else pt2.write(program, meta.spec, file)
    reloaded = form.load(file)
    for num_examples in (0, 1, 3, 257):
        rows = torch.randn(num_examples, 4)
        torch.testing.assert_close(reloaded(rows), program(rows))
