import pytest
import torch
from specimens import READERS, SPECS, meta, network, stored

from pipeline.exporting import pt2, torchscript
from pipeline.network.inputs import Standardize
from pipeline.programs.regression import Program

CASES = [(name, modality) for name, modality in READERS if modality != "text"]


def program_of(name, modality):
    spec = SPECS[modality].model_copy(update={"num_classes": 0})
    return Program(network(name, spec), meta(spec)).eval(), meta(spec)


@pytest.mark.parametrize(("name", "modality"), CASES)
@pytest.mark.parametrize("num_examples", [1, 3, 257])
def test_it_predicts_one_number_an_example(name, modality, num_examples):
    program, meta = program_of(name, modality)
    inputs = stored(meta.spec, num_examples)
    answers = program(inputs)
    assert (answers.shape, answers.dtype) == ((num_examples,), torch.float32)
    assert program.shape == list(meta.spec.shape)
    assert torch.equal(answers, program.model(Standardize(meta)(inputs))[:, 0])


@pytest.mark.parametrize("form", [torchscript, pt2])
def test_a_file_takes_any_number_of_rows(form, tmp_path):
    program, meta = program_of("linear", "table")
    program.requires_grad_(False)
    file = tmp_path / "file"
    torchscript.write(program, file) if form is torchscript else pt2.write(meta.spec, None, program, file)
    reloaded = form.load(file)
    for num_examples in (0, 1, 3, 257):
        rows = torch.randn(num_examples, 4)
        torch.testing.assert_close(reloaded(rows), program(rows))
