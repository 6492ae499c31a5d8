"""ResNet-8, the residual network of MLPerf Tiny for CIFAR-10 (C. Banbury et al., MLPerf Tiny Benchmark, 2021)."""

from pydantic import PositiveInt
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.core.schema import Schema
from pipeline.core.spec import DataSpec, image_shape

READS = ("image",)
TASKS = ("classification", "regression")


class Options(Schema):
    """Channels of the three blocks; each block after the first halves height and width."""

    channels: tuple[PositiveInt, PositiveInt, PositiveInt] = (16, 32, 64)


class Block(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut (K. He et al., 2015): (N, C, H, W) -> (N, C', H/stride, W/stride)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        same = in_channels == out_channels and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(in_channels, out_channels, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        residual = F.relu(self.norm1(self.conv1(x)))
        residual = self.norm2(self.conv2(residual))
        return F.relu(residual + self.shortcut(x))


class Model(nn.Module):
    """(N, C, H, W) standardised images -> (N, num_classes) logits."""

    def __init__(self, options: Options, spec: DataSpec) -> None:
        super().__init__()
        channels, _, _ = image_shape(spec, "resnet", smallest=4)
        first, second, third = options.channels
        self.conv = nn.Conv2d(channels, first, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(first)
        self.blocks = nn.Sequential(Block(first, first, 1), Block(first, second, 2), Block(second, third, 2))
        self.fc = nn.Linear(third, spec.num_outputs)

    def features(self, images: Tensor) -> Tensor:
        """What the last layer reads: (N, 64)."""
        x = F.relu(self.norm(self.conv(images)))  # (N, 16, H, W)
        x = self.blocks(x)  # (N, 64, H/4, W/4)
        return x.mean(dim=(2, 3))

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.features(images))
