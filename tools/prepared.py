"""What a user of the README has before a command: parameters and data under the README's names, but small."""

import gzip
import hashlib
import re
import shutil

import numpy as np
from documents import blocks
from PIL import Image
from user import User

#: The README's YAML blocks by the title they stand under.
ENTRIES = {block.title: block.text for block in blocks("README.md", "yaml")}
RUN = """\
  {name}:
    task: {task}
    dataset: {dataset}
    model: {{name: {model}}}
    train: {{{train}, batch_size: 50, optimizer: {{name: adam, lr: 0.005}}, loss: {{name: {loss}}}}}
    evaluate: {{batch_size: 1000}}
    export: {{batch_size: 500}}
"""


def _run(
    name: str, dataset: str, model: str, train: str, task: str = "classification", loss: str = "cross_entropy"
) -> str:
    return RUN.format(name=name, dataset=dataset, model=model, train=train, task=task, loss=loss)


#: LeNet's accuracy is above the text's threshold of 0.97.
LENET = (
    _run("lenet", "digits", "lenet", "epochs: 12, schedule: {name: one_cycle}, augment: {shift: 1}")
    + ENTRIES["Choose a model"]
)
SURNAMES = (
    _run("surnames", "surnames", "text_linear", "epochs: 1")
    + "    promote: {metric: accuracy, direction: max, threshold: 0}\n"
)
VAE = _run("conv_vae", "digits", "conv_vae, num_maps: 4, hidden_size: 16, latent_size: 4", "epochs: 1", "vae", "elbo")
DIGITS = "  digits: {kind: digits, path: data/digits.md5, image_size: 16}\n"
NAMES = """\
  surnames: {kind: surnames, path: data/surnames.md5, text: {unit: character, max_length: 20, vocabulary_size: 60}}
"""
OWN = "".join(ENTRIES[f"Train on your own {kind}"].removeprefix("datasets:\n") for kind in ("images", "texts"))


def _write_params(user: User, data: str, runs: str, comparisons: str = "comparisons: {}\n") -> None:
    text = f"seed: 1\nnum_threads: 1\ndatasets:\n{data}runs:\n{runs}{comparisons}"
    user.workspace.params.write_text(text, encoding="utf-8")


def lenet(user: User) -> None:
    """A run that is new."""
    _write_params(user, DIGITS, LENET)


def surnames(user: User) -> None:
    """One more run, of texts."""
    _write_params(user, DIGITS + NAMES, LENET + SURNAMES)


def vae_and_own_data(user: User) -> None:
    """A run that makes images and their comparison, pictures of several sizes and modes, and tickets in two files."""
    draw = np.random.default_rng(0)
    for name in ("bolt", "nut"):
        folder = user.root.parent / "pictures" / name
        folder.mkdir(parents=True)
        for number, mode in enumerate(["L", "RGB", "P", "RGBA"] * 3):
            picture = Image.fromarray(draw.integers(0, 256, (20 + number, 30), dtype=np.uint8))
            picture.convert(mode).save(folder / f"{number}.png")
    tickets = user.root.parent / "tickets"
    tickets.mkdir()
    for file, count in (("train.csv", 40), ("test.csv", 10)):
        lines = [
            f"the {name} {file} {number} broke,{name}" for number in range(count) for name in ("printer", "network")
        ]
        tickets.joinpath(file).write_text("\n".join(["message,team", *lines, ""]), encoding="utf-8")
    _write_params(user, DIGITS + NAMES + OWN, LENET + SURNAMES + VAE, ENTRIES["Make images"])


def commit(user: User) -> None:
    """Commit what there is."""
    user.workspace.run("git", "add", "--all")
    user.workspace.run("git", "commit", "-qm", "models")


def evaluate_otherwise(user: User) -> None:
    """Change a parameter on which no training depends."""
    user.workspace.replace("params.yaml", "batch_size: 1000", "batch_size: 999")


def pictures(user: User) -> None:
    """A picture, and another in a folder."""
    user.root.joinpath("folder").mkdir()
    for name in ("photo.jpg", "folder/other.png"):
        Image.fromarray(np.full((30, 40, 3), 200, np.uint8)).save(user.root / name)


def few_tests(user: User) -> None:
    """Leave one file of tests, since all of them take an hour."""
    names = ("tests/conftest.py", "tests/core/test_rooms.py")
    kept = {name: user.root.joinpath(name).read_text(encoding="utf-8") for name in names}
    shutil.rmtree(user.root / "tests")
    user.root.joinpath("tests/core").mkdir(parents=True)
    for name, text in kept.items():
        user.root.joinpath(name).write_text(text, encoding="utf-8")


def small_mnist(user: User) -> None:
    """A mirror with files in MNIST's format, and the example file with one run of one epoch, which is gone later."""
    folder = user.root.parent / "mirror" / "MNIST" / "raw"
    folder.mkdir(parents=True)
    draw = np.random.default_rng(0)
    sums = []
    for part, count in (("train", 300), ("t10k", 100)):
        images = draw.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        for name, array in (
            (f"{part}-images-idx3-ubyte.gz", images),
            (f"{part}-labels-idx1-ubyte.gz", np.arange(count) % 10),
        ):
            sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
            content = gzip.compress(bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes(), mtime=0)
            folder.joinpath(name).write_bytes(content)
            sums.append(f"{hashlib.md5(content, usedforsecurity=False).hexdigest()}  {name}\n")
    user.root.joinpath("data/mnist.md5").write_text("".join(sums), encoding="ascii")
    user.environment["PIPELINE_DATA_MIRROR"] = str(folder.parents[1])
    example = user.root / "examples/mnist.yaml"
    text = example.read_text(encoding="utf-8").replace("epochs: 10", "epochs: 1")
    example.write_text(re.sub(r"  (lenet|cnn|lstm):\n(    .*\n)+\n?", "", text), encoding="utf-8")
