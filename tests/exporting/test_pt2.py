from pathlib import Path

import pytest
import torch
from specimens import SPECS, meta, network, readers, stored

from pipeline.exporting import pt2
from pipeline.programs.classification import programs

slow = pytest.mark.slow  # two processes export every model


@slow
@pytest.mark.parametrize("name", readers("image"))
def test_a_program_of_images_refuses_other_input(exports, name):
    program = pt2.load(exports[0] / f"{name}_image/model.pt2")
    with pytest.raises(RuntimeError, match="dtype mismatch! Expected: Byte, Got: float"):
        program(torch.zeros(2, 3, 14, 16))
    with pytest.raises(AssertionError, match=r"Guard failed: .*size\(\)\[1\] == 3"):
        program(torch.zeros(2, 1, 14, 16).byte())


@slow
@pytest.mark.parametrize("name", readers("text"))
def test_a_program_of_texts_refuses_other_input(exports, name):
    program = pt2.load(exports[0] / f"{name}_text/model.pt2")
    lengths = torch.ones(2, dtype=torch.int64)
    with pytest.raises(RuntimeError, match=r"scalar types: Long, Int; but got torch\.FloatTensor"):
        program(torch.ones(2, 5), lengths)
    with pytest.raises(AssertionError, match=r"Guard failed: .*size\(\)\[1\] <= 12"):
        program(torch.ones(2, 13, dtype=torch.int64), lengths)
    with pytest.raises(AssertionError, match=r"Guard failed: lengths.size\(\)\[0\] == tokens.size\(\)\[0\]"):
        program(torch.ones(3, 5, dtype=torch.int64), lengths)


def written(name: str, modality: str, file: Path) -> bytes:
    spec = SPECS[modality]
    pt2.write(spec, None, programs(network(name, spec), meta(spec)).pt2.eval().requires_grad_(False), file)
    return file.read_bytes()


def test_what_a_process_has_exported_before_does_not_count(tmp_path):
    of_images, of_texts = (written(*model, tmp_path / "first") for model in (("lstm", "image"), ("text_lstm", "text")))
    assert written("lstm", "image", tmp_path / "second") == of_images
    assert written("text_lstm", "text", tmp_path / "second") == of_texts


@pytest.mark.parametrize("longest", [1, 2, 3])
def test_a_program_of_very_short_texts_takes_every_length(tmp_path, longest):
    spec = SPECS["text"].model_copy(update={"shape": (longest,)})
    program = programs(network("text_lstm", spec), meta(spec)).pt2.eval().requires_grad_(False)
    pt2.write(spec, None, program, tmp_path / "model.pt2")
    tokens, reloaded = stored(spec, 4), pt2.load(tmp_path / "model.pt2")
    for length in range(1, longest + 1):
        given = tokens[:, :length], torch.full((4,), length)
        torch.testing.assert_close(reloaded(*given), program(*given))
