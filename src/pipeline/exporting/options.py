"""The subtree ``runs.<run>.export`` of ``params.yaml``. It imports no torch, so that checking it takes no time."""

from pydantic import PositiveFloat, PositiveInt

from pipeline.core.schema import Schema


class Options(Schema):
    """How the written programs are proved against the network.

    Attributes:
        batch_size: test examples at a time.
        tolerance: how far an answer may be off: absolute for values up to 1, such as probabilities, relative beyond.
    """

    batch_size: PositiveInt = 512
    tolerance: PositiveFloat = 1e-5
