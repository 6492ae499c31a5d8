import pytest
import torch
from specimens import READERS, SPECS, meta, network, stored, texts

from pipeline.network.inputs import reading
from pipeline.programs.classification import programs

CASES = [(name, modality) for name, modality in READERS if modality != "text"]
TEXT_MODELS = [name for name, modality in READERS if modality == "text"]


def programs_of(name, modality):
    made = programs(network(name, SPECS[modality]), meta(SPECS[modality]))
    return {"ts": made.ts.eval(), "pt2": made.pt2.eval()}


@pytest.mark.parametrize(("name", "modality"), CASES)
@pytest.mark.parametrize("num_examples", [1, 3, 257])
def test_it_answers_as_the_network_does_on_stored_examples(name, modality, num_examples):
    program = programs_of(name, modality)["ts"]
    inputs = stored(SPECS[modality], num_examples)
    answers = program(inputs)
    assert answers.dtype == torch.float32
    assert torch.equal(answers, program.model(reading(meta(SPECS[modality]))(inputs)).softmax(1))
    torch.testing.assert_close(answers.sum(1), torch.ones(num_examples))


@pytest.mark.parametrize("name", TEXT_MODELS)
def test_raw_texts_and_their_token_ids_get_the_same_answer(name):
    made = programs_of(name, "text")
    raw = ["", *texts(40, 30)]
    tokens, lengths = made["ts"].encode(raw)
    answers = made["ts"](raw)
    assert answers.shape == (41, 5)
    assert torch.equal(made["pt2"](tokens, lengths), answers)
    assert torch.equal(answers, made["ts"].model(tokens).softmax(1))


def test_token_ids_behind_a_text_do_not_count_and_no_token_is_an_unknown_one():
    program = programs_of("text_lstm", "text")["pt2"]
    tokens = stored(SPECS["text"], 3)
    other = tokens.clone()
    other[0, 4:] = 7
    other[1] = 9
    lengths = torch.tensor([4, 0, 12])
    assert torch.equal(program(tokens, lengths), program(other, lengths))
    unknown = program(torch.ones(1, 1, dtype=torch.int64), torch.ones(1, dtype=torch.int64))
    torch.testing.assert_close(program(tokens, lengths)[1:2], unknown)


def test_it_takes_images_of_any_size_and_order_in_memory():
    program = programs_of("lenet", "image")["ts"]
    images = torch.randint(0, 256, (2, 3, 50, 9)).byte()
    answers = program(images)
    assert answers.shape == (2, 5)
    torch.testing.assert_close(program(images.contiguous(memory_format=torch.channels_last)), answers)


@pytest.mark.parametrize(("name", "modality"), CASES)
def test_it_knows_the_shape_of_an_example(name, modality):
    for program in programs_of(name, modality).values():
        assert program.shape == list(SPECS[modality].shape)


@pytest.mark.parametrize(("name", "modality"), READERS)
def test_it_knows_the_names_of_its_columns(name, modality):
    for program in programs_of(name, modality).values():
        assert program.classes == list(meta(SPECS[modality]).classes)
