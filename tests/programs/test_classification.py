import pytest
import torch

from pipeline.core import rooms
from pipeline.core.spec import DataSpec
from pipeline.core.storage import Meta
from pipeline.network import building
from pipeline.network.inputs import Standardize
from pipeline.programs.classification import Program


def program_of(name, modality, *shape):
    spec = DataSpec(modality=modality, shape=shape, num_classes=5)
    meta = Meta(
        spec=spec, classes=tuple("abcde"), counts={}, scale=255.0, mean=(0.3,) * shape[0], std=(0.2,) * shape[0]
    )
    torch.manual_seed(0)
    network, _ = building.build({"name": name}, spec, "runs.a.model")
    return Program(network, meta).eval(), meta


@pytest.mark.parametrize("name", rooms.names("models"))
@pytest.mark.parametrize("num_examples", [1, 3, 257])
def test_it_answers_as_the_network_does_on_stored_images(name, num_examples):
    program, meta = program_of(name, "image", 3, 14, 16)
    images = torch.randint(0, 256, (num_examples, 3, 14, 16)).byte()
    answers = program(images)
    expected = program.model(Standardize(meta)(images)).softmax(1)
    assert answers.dtype == torch.float32
    assert torch.equal(answers, expected)
    torch.testing.assert_close(answers.sum(1), torch.ones(num_examples))


def test_it_takes_images_of_any_size_and_order_in_memory():
    program, _ = program_of("lenet", "image", 3, 14, 16)
    images = torch.randint(0, 256, (2, 3, 50, 9)).byte()
    answers = program(images)
    assert answers.shape == (2, 5)
    torch.testing.assert_close(program(images.contiguous(memory_format=torch.channels_last)), answers)


def test_it_takes_rows_of_a_table():
    program, _ = program_of("linear", "table", 4)
    assert program(torch.randn(3, 4)).shape == (3, 5)


def test_it_knows_the_names_of_its_columns():
    program, _ = program_of("linear", "table", 4)
    assert program.classes == ["a", "b", "c", "d", "e"]
