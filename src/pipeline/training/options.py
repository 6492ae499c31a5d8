"""The subtree ``runs.<run>.train`` of ``params.yaml``. It imports no torch, so that checking it takes no time."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from pipeline.core.schema import Schema, Share

BatchSize = Annotated[int, Field(gt=0, le=1_000_000)]


class SGD(Schema):
    """Options of ``torch.optim.SGD``."""

    name: Literal["sgd"]
    lr: PositiveFloat
    momentum: Share = 0.0
    nesterov: bool = False
    weight_decay: NonNegativeFloat = 0.0

    @model_validator(mode="after")
    def _check_nesterov(self) -> Self:
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov (=true) needs a momentum above 0")
        return self


class Adagrad(Schema):
    """Options of ``torch.optim.Adagrad``."""

    name: Literal["adagrad"]
    lr: PositiveFloat
    lr_decay: NonNegativeFloat = 0.0
    eps: PositiveFloat = 1e-10
    weight_decay: NonNegativeFloat = 0.0


class RMSprop(Schema):
    """Options of ``torch.optim.RMSprop``."""

    name: Literal["rmsprop"]
    lr: PositiveFloat
    alpha: Share = 0.99
    momentum: Share = 0.0
    eps: PositiveFloat = 1e-8
    weight_decay: NonNegativeFloat = 0.0


class Adam(Schema):
    """Options of ``torch.optim.Adam`` and, with decoupled weight decay, ``torch.optim.AdamW``."""

    name: Literal["adam", "adamw"]
    lr: PositiveFloat
    betas: tuple[Share, Share] = (0.9, 0.999)
    eps: PositiveFloat = 1e-8
    weight_decay: NonNegativeFloat = 0.0


class Constant(Schema):
    """The learning rate stays as it is."""

    name: Literal["constant"]


class Cosine(Schema):
    """Linear warm-up over a fraction ``warmup`` of all steps, then half a cosine to 0 (Loshchilov & Hutter, 2016)."""

    name: Literal["cosine"]
    warmup: Share = 0.0


class OneCycle(Schema):
    """Linear rise over a fraction ``warmup`` of all steps, then linear fall to 0 (after L. N. Smith, 2018)."""

    name: Literal["one_cycle"]
    warmup: Share = 0.3


class Augment(Schema):
    """Random changes to the images of each training batch.

    Attributes:
        shift: every image moves by up to so many pixels each way; zeros come in (the same as pad and crop).
        flip: every other image, on average, is mirrored left to right.
    """

    shift: NonNegativeInt = 0
    flip: bool = False


class TrainOptions(Schema):
    """How a network is trained.

    Attributes:
        loss: belongs to the task, which checks it.
        accumulation: pieces in which a batch goes through the network, one after the other, to need less memory; their
            gradients add up. Batch norm sees a piece at a time.
        clip_norm: the largest norm of all gradients together.
        precision: ``bf16`` multiplies matrices in bfloat16, on a CPU where they are large, and keeps weights in
            float32; ``tf32`` is for GPUs and the same as ``fp32`` elsewhere.
        compile: whether ``torch.compile`` makes the network's kernels, on a GPU as CUDA graphs. It takes up to a minute
            and may pay on a GPU; on a CPU these networks become slower, and the C++ compiler has a say in the bits.
        monitor: the column of ``history.csv`` that says which epoch is best.
        patience: stop after so many epochs without a better one.
        keep: the epoch whose weights become ``model.safetensors``.
        sample_epochs: those after which a network that makes images is asked for some, of the same latents each time.
    """

    epochs: PositiveInt
    batch_size: BatchSize
    optimizer: Annotated[SGD | Adagrad | RMSprop | Adam, Field(discriminator="name")]
    loss: dict[str, Any]
    schedule: Annotated[Constant | Cosine | OneCycle, Field(discriminator="name")] = Constant(name="constant")
    accumulation: PositiveInt = 1
    clip_norm: PositiveFloat | None = None
    precision: Literal["fp32", "tf32", "bf16"] = "fp32"
    compile: bool = False
    augment: Augment = Augment()
    monitor: str = "val_loss"
    patience: PositiveInt | None = None
    keep: Literal["best", "last"] = "best"
    sample_epochs: tuple[PositiveInt, ...] = ()

    @model_validator(mode="after")
    def _check_accumulation(self) -> Self:
        if self.accumulation > self.batch_size:
            raise ValueError(f"accumulation (={self.accumulation}) must not exceed batch_size (={self.batch_size})")
        return self

    @model_validator(mode="after")
    def _check_sample_epochs(self) -> Self:
        if self.sample_epochs and max(self.sample_epochs) > self.epochs:
            raise ValueError(f"sample_epochs (={list(self.sample_epochs)}) must not exceed epochs (={self.epochs})")
        return self
