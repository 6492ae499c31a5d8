"""LeNet: Y. LeCun et al., Gradient-based learning applied to document recognition (1998), with ReLU and max pooling."""

from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.core.schema import Schema
from pipeline.core.spec import DataSpec, image_shape
from pipeline.network.layers import MapsToRows, PooledConv2d

READS = ("image",)
TASKS = ("classification", "regression")


class Options(Schema):
    """LeNet has no options."""


class Model(nn.Module):
    """(N, C, H, W) standardised images -> (N, num_classes) logits."""

    def __init__(self, options: Options, spec: DataSpec) -> None:
        super().__init__()
        channels, height, width = image_shape(spec, "lenet", smallest=12)
        # LeNet was drawn for 32 x 32 pixels; padding the first convolution gives 28 x 28 its 16 maps of 5 x 5.
        self.conv1 = PooledConv2d(channels, 6, kernel_size=5, padding=2)
        self.conv2 = PooledConv2d(6, 16, kernel_size=5)
        self.to_rows = MapsToRows()
        self.fc1 = nn.Linear(16 * ((height // 2 - 4) // 2) * ((width // 2 - 4) // 2), 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, spec.num_outputs)

    def features(self, images: Tensor) -> Tensor:
        """What the last layer reads: (N, 84)."""
        # ReLU and the maximum may change places; ReLU has a quarter of the work behind it.
        x = F.relu(self.conv1(images))  # (N, 6, 14, 14) for 28 x 28 pixels
        x = F.relu(self.to_rows(self.conv2(x)))  # (N, 400), of 16 maps of 5 x 5
        x = F.relu(self.fc1(x))  # (N, 120)
        return F.relu(self.fc2(x))

    def forward(self, images: Tensor) -> Tensor:
        return self.fc3(self.features(images))
