"""Export every model into FOLDER/<model>, beside examples and the network's answers: ``python build.py FOLDER``."""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from pipeline.core import rooms
from pipeline.core.spec import DataSpec
from pipeline.core.storage import Meta
from pipeline.exporting import run
from pipeline.exporting.options import Options
from pipeline.network import building

SHAPE = (3, 14, 16)
CLASSES = ("zero", "é", "two", "three", "four")
META = Meta(
    spec=DataSpec(modality="image", shape=SHAPE, num_classes=len(CLASSES)),
    classes=CLASSES,
    counts={},
    scale=255.0,
    mean=(0.3, 0.4, 0.5),
    std=(0.2, 0.3, 0.1),
)
#: None, one, and more examples than any batch; of the model's size, and smaller, larger, wider and taller.
EXAMPLES = [
    (0, 3, 14, 16),
    (1, 3, 14, 16),
    (257, 3, 14, 16),
    (3, 3, 1, 1),
    (3, 3, 9, 40),
    (1, 3, 40, 9),
    (2, 3, 33, 51),
]


def main(folder):
    torch.set_num_threads(1)
    for name in rooms.names("models"):
        torch.manual_seed(0)
        network, _ = building.build({"name": name}, META.spec, "runs.a.model")
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):  # as after a training, so that folding has something to fold
                module.running_mean.uniform_(-1, 1)
                module.running_var.uniform_(0.5, 2)
        program = rooms.load("programs", "classification", "runs.a.task").Program(network.eval(), META)
        (folder / name).mkdir(parents=True)
        examples = {f"inputs{i}": torch.randint(0, 256, shape).byte() for i, shape in enumerate(EXAMPLES)}
        run.write(program, META, examples["inputs2"], Options(batch_size=100), folder / name)
        answers = {f"answers{i}": program(examples[f"inputs{i}"]) for i in range(len(EXAMPLES))}
        save_file(examples | answers, folder / name / "examples.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
