"""Export every model into FOLDER/<model>_<what it reads>, beside calls and answers: ``python build.py FOLDER``."""

import sys
from pathlib import Path

import torch
from specimens import GENERATORS, PICTURES, READERS, SPECS, examples, meta, network, stored, texts

from pipeline.core import rooms, storage
from pipeline.exporting import run
from pipeline.exporting.options import Options

CLASSES = ("zero", "é", "two", "three", "four")
#: None, one, and more than any batch.
NUMBERS = (0, 1, 257)
#: Smaller, larger, wider and taller than the model's.
IMAGES = [(3, 3, 1, 1), (3, 3, 9, 40), (1, 3, 40, 9), (2, 3, 33, 51)]
#: Empty, only spaces, unknown letters of 1 to 4 bytes, marks out of order, and longer than the longest.
TEXTS = ["", " \t\n", "Éa ß ﬁ", "日本語 и ελ", "😀b\0c", "a\u0301\u0327b", "abc " * 30]


def calls(task, modality, program):
    """The arguments of each form: ``(ts, pt2)``."""
    if task == "gan":
        latents = [torch.randn(number, program.latent_size) for number in NUMBERS]
        return [((given,), (given,)) for given in latents]
    if modality != "text":
        inputs = [stored(PICTURES if task == "vae" else SPECS[modality], number) for number in NUMBERS]
        inputs += [torch.randint(0, 256, shape).byte() for shape in IMAGES if modality == "image"]
        return [((given,), (given,)) for given in inputs]
    raw = [*(texts(number, 30) for number in NUMBERS), TEXTS, *([text] for text in TEXTS)]
    return [((given,), program.encode(given)) for given in raw]


def main(folder):
    torch.set_num_threads(1)
    cases = [(name, modality, "classification", SPECS[modality]) for name, modality in READERS]
    for name, modality, task, spec in [*cases, *((name, "image", task, PICTURES) for name, task in GENERATORS)]:
        target = folder / f"{name}_{modality}"
        description = meta(spec, classes=CLASSES)
        target.mkdir(parents=True)
        storage.write(target, {"test": examples(spec, 257)}, description)
        made = rooms.load("programs", task, "").programs(network(name, spec), description)
        run.write(made, description, storage.read(target, "test"), Options(batch_size=100), target)
        given = calls(task, modality, made.ts)
        ways = [{"ts": raw, "pt2": prepared, "answers": made.ts(*raw)} for raw, prepared in given]
        torch.save(ways, target / "calls.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
