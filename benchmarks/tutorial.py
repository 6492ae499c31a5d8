"""The tutorials' loops, their shape bugs mended: one example at a time through PIL, a look at each loss."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torchvision import transforms

#: Mean and standard deviation of Fashion-MNIST's training pixels.
NORMALIZE = transforms.Normalize((0.2860,), (0.3530,))
#: To values from -1 to 1, as a generator makes them.
CENTER = transforms.Normalize((0.5,), (0.5,))
#: Trains by so many batches.
Run = Callable[[int], None]


def lenet() -> nn.Module:
    """The tutorial's LeNet, its first convolution padded."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


def cnn() -> nn.Module:
    """The tutorial's CNN, its convolutions padded, without the softmax."""
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        nn.Linear(1568, 10),
    )


#: The other networks are the project's: their modules, like the tutorials', do the work in one way only.
NETWORKS = {"lenet": lenet, "cnn": cnn}


def optimizer(parameters: Iterable[nn.Parameter], settings: dict[str, Any]) -> torch.optim.Optimizer:
    """The optimiser that ``settings`` names, as PyTorch makes it by default."""
    options = {name: value for name, value in settings.items() if name != "name"}
    return {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[settings["name"]](parameters, **options)


class Pictures(Dataset[tuple[Tensor, int]]):
    """What torchvision's MNIST and Fashion-MNIST do for an item, with images that are already unpacked."""

    def __init__(self, data: Tensor, targets: Tensor, transform: Any) -> None:
        self.data, self.targets, self.transform = data, targets, transform

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image, target = self.data[index], int(self.targets[index])
        return self.transform(Image.fromarray(image.numpy(), mode="L")), target

    def __len__(self) -> int:
        return len(self.data)


def images(data: Tensor, targets: Tensor, batch_size: int, *extra: Any) -> "Iterator[tuple[Tensor, Tensor]]":
    """Shuffled batches without end of grey images, uint8 (N, H, W), decoded and converted one at a time."""
    pictures = Pictures(data, targets, transforms.Compose([transforms.ToTensor(), *extra]))
    return _forever(DataLoader(pictures, batch_size, shuffle=True))


def texts(rows: list[Tensor], labels: Tensor, batch_size: int) -> "Iterator[tuple[Tensor, Tensor]]":
    """Shuffled batches of token ids without end, each padded to its longest."""

    def collate(batch: list[Any]) -> tuple[Tensor, Tensor]:
        return pad_sequence([rows[int(i)] for (i,) in batch], batch_first=True), labels[[int(i) for (i,) in batch]]

    return _forever(DataLoader(TensorDataset(torch.arange(len(rows))), batch_size, shuffle=True, collate_fn=collate))


def _forever(loader: "DataLoader[Any] | Dataset[Any]") -> "Iterator[tuple[Tensor, Tensor]]":
    while True:
        yield from loader  # type: ignore[misc]


def classifier(model: nn.Module, optimizer: torch.optim.Optimizer, batches: "Iterator[tuple[Tensor, Tensor]]") -> Run:
    """Forward, cross entropy, backward, step, ``loss.item()``."""

    def run(number: int) -> None:
        model.train()
        total = 0.0
        for _ in range(number):
            inputs, labels = next(batches)
            optimizer.zero_grad()
            loss = F.cross_entropy(model(inputs), labels)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += loss.item()

    return run


def vae(model: Any, optimizer: torch.optim.Optimizer, batches: "Iterator[tuple[Tensor, Tensor]]") -> Run:
    """PyTorch's example."""

    def run(number: int) -> None:
        model.train()
        total = 0.0
        for _ in range(number):
            inputs, _ = next(batches)
            optimizer.zero_grad()
            mean, log_variance = model.encode(inputs)
            latents = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
            pixels = torch.sigmoid(model.decode(latents))
            reconstruction = F.binary_cross_entropy(pixels, inputs, reduction="sum")
            loss = reconstruction - 0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += loss.item()

    return run


def gan(
    model: Any, optimizers: list[torch.optim.Optimizer], batches: "Iterator[tuple[Tensor, Tensor]]", latent_size: int
) -> Run:
    """PyTorch's DCGAN example: two backward passes for the discriminator, then one through it for the generator."""
    of_discriminator, of_generator = optimizers

    def run(number: int) -> None:
        model.train()
        total = 0.0
        for _ in range(number):
            real, _ = next(batches)
            ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
            of_discriminator.zero_grad()
            on_real = F.binary_cross_entropy(torch.sigmoid(model.discriminator(real)), ones)
            on_real.backward()  # type: ignore[no-untyped-call]
            fake = model.generator(torch.randn(len(real), latent_size))
            on_fake = F.binary_cross_entropy(torch.sigmoid(model.discriminator(fake.detach())), zeros)
            on_fake.backward()  # type: ignore[no-untyped-call]
            of_discriminator.step()
            of_generator.zero_grad()
            loss = F.binary_cross_entropy(torch.sigmoid(model.discriminator(fake)), ones)
            loss.backward()  # type: ignore[no-untyped-call]
            of_generator.step()
            total += on_real.item() + on_fake.item() + loss.item()

    return run
