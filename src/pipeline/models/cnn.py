"""The tutorial's network of two convolutions, each followed by ReLU and pooling, and one linear layer."""

from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.core.schema import Schema
from pipeline.core.spec import DataSpec, image_shape
from pipeline.network.layers import MapsToRows

READS = ("image",)
TASKS = ("classification", "regression")


class Options(Schema):
    """The tutorial's CNN has no options."""


class Model(nn.Module):
    """(N, C, H, W) standardised images -> (N, num_classes) logits (no softmax: cross entropy applies its own)."""

    def __init__(self, options: Options, spec: DataSpec) -> None:
        super().__init__()
        channels, height, width = image_shape(spec, "cnn", smallest=4)
        # Padding keeps 28 -> 14 -> 7, the 32 * 7 * 7 = 1568 inputs that the tutorial's linear layer expects.
        self.conv1 = nn.Conv2d(channels, 16, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=3, padding=1)
        self.to_rows = MapsToRows()
        self.fc = nn.Linear(32 * (height // 4) * (width // 4), spec.num_outputs)

    def features(self, images: Tensor) -> Tensor:
        """What the last layer reads: (N, 1568) for 28 x 28 pixels."""
        # ReLU and the maximum may change places; ReLU has a quarter of the work behind it.
        x = F.relu(F.max_pool2d(self.conv1(images), 2))  # (N, 16, H/2, W/2)
        x = F.relu(F.max_pool2d(self.conv2(x), 2))  # (N, 32, H/4, W/4)
        return self.to_rows(x)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.features(images))
