"""Learn to make images that a second network can't tell from real ones: I. Goodfellow et al. (2014)."""

from copy import deepcopy
from typing import Any, Literal

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.core.schema import Schema, Share, parse
from pipeline.core.spec import DataSpec
from pipeline.core.storage import Meta
from pipeline.network import processes
from pipeline.training.optimizer import Optimizer
from pipeline.training.options import TrainOptions
from pipeline.training.pieces import Piece
from pipeline.training.task import LearningTask, Row, compiler_options, weighted

#: Validation metric -> which of two values is better.
METRICS = {"val_loss": min, "val_diversity": max}
#: Images in a picture of samples, and those that validation looks at.
NUM_SHOWN, NUM_MEASURED = 64, 1000


class NonSaturating(Schema):
    """The generator maximises the logarithm of the probability that its images are taken for real.

    Attributes:
        label_smoothing: real images are real with so much less than certainty (T. Salimans et al., 2016).
        averaging: the generator that is kept is the exponential moving average of the one that learns, with this
            weight on the past (Y. Yazici et al., 2018), and less at the beginning; 0 keeps the one that learns.
        min_diversity: training stops when ``val_diversity`` stays below this: the generator has collapsed.
        collapse_patience: epochs in a row that make it so, if it was above before or half of all epochs are over.
    """

    name: Literal["non_saturating"]
    label_smoothing: Share = 0.0
    averaging: Share = 0.0
    min_diversity: NonNegativeFloat = 0.1
    collapse_patience: PositiveInt = 5


class Options(Schema):
    """The part of ``runs.<run>.train`` that this task defines."""

    loss: NonSaturating


def check(spec: DataSpec) -> None:
    """Raise ``ValueError`` unless the data are images."""
    if spec.modality != "image":
        raise ValueError(f"a GAN learns from images, and this data set is a {spec.modality}")


class Task(LearningTask):
    """Networks have ``generator`` and ``discriminator`` as in :mod:`pipeline.models.gan`; targets don't count."""

    def __init__(self, model: Any, meta: Meta, options: TrainOptions, num_steps: int) -> None:
        self.adversarial = parse(Options, {"loss": options.loss}, "train").loss
        self.generator = deepcopy(model.generator) if self.adversarial.averaging else model.generator
        super().__init__(model, meta, options, num_steps)
        self.judge = processes.together(model.discriminator)
        self.discriminator_optimizer = Optimizer(model.discriminator.parameters(), options, num_steps)

    def learns(self) -> nn.Module:
        """The generator; the discriminator has an optimiser of its own."""
        return self.generator

    def compile(self, mode: str) -> None:
        """See :meth:`LearningTask.compile`."""
        super().compile(mode)
        self.model.discriminator.compile(options=compiler_options(mode), dynamic=False)

    def update(self, pieces: list[Piece], step: int) -> dict[str, Tensor]:
        """Train the discriminator by one step, then against it the generator; see :meth:`LearningTask.update`.

        ``loss`` is the generator's, as if its images were real, ``discriminator`` that of the discriminator: scalars.
        """
        self.generator.train()  # validation has left it as it will be used
        pieces = [self.augmented(piece) for piece in pieces]
        fakes, judged, losses = [], [], []
        for piece in pieces:
            is_last = piece is pieces[-1]
            with processes.exchanging(self.learner, is_last), processes.exchanging(self.judge, is_last):
                fakes.append(self._fake(piece))
                judged.append(self._judge(piece, fakes[-1]))
                self.discriminator_optimizer.add(judged[-1], piece.weight)
        self.discriminator_optimizer.step(step)
        for piece, fake, discriminator in zip(pieces, fakes, judged, strict=True):
            with processes.exchanging(self.learner, piece is pieces[-1]):
                losses.append({"loss": self._deceive(fake), "discriminator": discriminator})
                self.optimizer.add(losses[-1]["loss"], piece.weight)
        self.optimizer.step(step)
        if self.adversarial.averaging:
            # The first generators are worth nothing: the past counts for less than (1 + step) / (10 + step).
            weight = 1 - min(self.adversarial.averaging, (1 + step) / (10 + step))
            learning = self.generator.state_dict()
            for name, kept in self.model.generator.state_dict().items():
                if kept.is_floating_point():
                    kept.lerp_(learning[name], weight)
        return weighted(losses, pieces)

    def _fake(self, piece: Piece) -> Tensor:
        latents = piece.own(torch.randn(piece.total, self.model.latent_size, generator=piece.noise))
        with self.precision(latents.device):
            images: Tensor = self.learner(latents)
        return images

    def _judge(self, piece: Piece, fake: Tensor) -> Tensor:
        with self.precision(fake.device):
            real_logits, fake_logits = self.judge(_signed(piece.inputs)), self.judge(fake.detach())
        labels = torch.full_like(real_logits, 1 - self.adversarial.label_smoothing, dtype=torch.float32)
        real = F.binary_cross_entropy_with_logits(real_logits.float(), labels)
        return (real + F.softplus(fake_logits.float()).mean()) / 2

    def _deceive(self, fake: Tensor) -> Tensor:
        # Its own gradients aren't wanted now, which a layer written in Python can't see by itself.
        self.model.discriminator.requires_grad_(False)
        try:
            with self.precision(fake.device):
                logits = self.model.discriminator(fake)
        finally:
            self.model.discriminator.requires_grad_(True)
        return F.softplus(-logits.float()).mean()

    def validate(self, piece: Piece) -> dict[str, Tensor]:
        """What :meth:`metrics` must know of real images: means of each pixel and of its square, both (C, H, W)."""
        images = _signed(piece.inputs)
        return {"mean": images.mean(0), "squares": images.square().mean(0)}

    def metrics(self, means: dict[str, Tensor]) -> dict[str, Tensor]:
        """Compare samples, of the same latents each time, with real images, pixel by pixel; returns scalars.

        ``loss`` is the Fréchet distance between them if pixels were independent and Gaussian, a mean over pixels with
        values from -1 to 1: it has little to say of how good images look, and shows that training gets somewhere.
        ``diversity`` is the variance among samples of the generator that learns over that among images: 0 if all its
        samples are alike.
        """
        variance = (means["squares"] - means["mean"].square()).clamp(min=0)
        samples = self._generate(self.model.generator, NUM_MEASURED)
        is_kept = self.generator is self.model.generator
        latest = samples if is_kept else self._generate(self.generator.eval(), NUM_MEASURED)
        spread = variance.sqrt() - samples.std(0, correction=0)
        distance = (means["mean"] - samples.mean(0)).square() + spread.square()
        return {"loss": distance.mean(), "diversity": latest.var(0, correction=0).mean() / variance.mean()}

    def check(self, history: list[Row]) -> None:
        """See :meth:`LearningTask.check`."""
        patience, least = self.adversarial.collapse_patience, self.adversarial.min_diversity
        diversity = [row["val_diversity"] for row in history]
        latest, before = diversity[-patience:], diversity[:-patience]
        is_late = 2 * len(history) > self.options.epochs
        if len(latest) == patience and max(latest) < least and (is_late or max(before, default=0) >= least):
            raise ValueError(
                f"the generator has collapsed: in the last {patience} epochs the variance among its images was at most "
                f"{max(latest):.3f} of that among real ones (train.loss.min_diversity is {least}); lower "
                f"train.optimizer.lr (={self.options.optimizer.lr}) or set train.loss.label_smoothing"
            )

    @torch.no_grad()
    def show(self) -> Tensor:
        """See :meth:`LearningTask.show`."""
        return ((self._generate(self.model.generator, NUM_SHOWN) + 1) * 127.5).round().byte()

    def state_dict(self) -> dict[str, Any]:
        """See :meth:`LearningTask.state_dict`."""
        own = {
            "discriminator_optimizer": self.discriminator_optimizer.state_dict(),
            "generator": self.generator.state_dict(),
        }
        return super().state_dict() | own

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See :meth:`LearningTask.load_state_dict`."""
        super().load_state_dict(state)
        self.discriminator_optimizer.load_state_dict(state["discriminator_optimizer"])
        self.generator.load_state_dict(state["generator"])

    def _generate(self, generator: nn.Module, number: int) -> Tensor:
        latents = torch.randn(number, self.model.latent_size, generator=torch.Generator().manual_seed(0))
        images: Tensor = generator(latents.to(next(self.model.parameters()).device))
        return images


def _signed(images: Tensor) -> Tensor:
    """uint8 -> float32 from -1 to 1, as the generator makes them."""
    return images.float() / 127.5 - 1
