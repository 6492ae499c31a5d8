"""Show, example by example, that a program on disk answers as the trained network does."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


def prove(
    name: str, program: Callable[..., Tensor], batches: Iterable[tuple[Any, ...]], expected: Tensor, tolerance: float
) -> dict[str, float]:
    """Compare the answers of ``program``, read back from disk, with those of the network.

    Args:
        name: the program's file, for the message.
        program: answers one batch at a time.
        batches: the program's arguments, batch by batch.
        expected: probabilities (N, num_classes), whose largest is the label, predictions (N,), or images (N, C, H, W),
            of which uint8 ones may differ by one level, where rounding goes the other way.
        tolerance: largest difference allowed, in units of the expected value where that is above 1.

    Returns:
        ``max_difference`` over all answers; of class probabilities also ``labels_equal``, the number of examples.

    Raises:
        ValueError: a label differs, or an answer by more than ``tolerance``; the message counts the examples.
    """
    answers = torch.cat([program(*batch) for batch in batches])
    unit = 1
    if expected.dtype == torch.uint8:
        tolerance, unit = max(tolerance, 1 / 255), 255
    # Pixels are subtracted before they are divided: 33/255 - 32/255 is more than 1/255.
    difference = (answers.double() - expected.double()).abs() / unit
    # NaN compares as false, so it is counted.
    close = difference <= tolerance * (expected.double().abs() / unit).clamp(min=1)
    close = close.flatten(1).all(1) if close.dim() > 1 else close
    result = {"max_difference": difference.max().item()}
    if expected.dim() == 2:
        same = answers.argmax(1) == expected.argmax(1)
        _refuse(name, "have another label", int((~same).sum()), len(expected))
        result["labels_equal"] = int(same.sum())
    _refuse(name, f"differ by more than export.tolerance (={tolerance})", int((~close).sum()), len(expected))
    return result


def prove_method(name: str, answer: Any, expected: Any, tolerance: float) -> None:
    """Compare what a method of a program gave, read back from disk, with what it gives by itself.

    Args:
        name: of the file and method, for the message.
        answer: a tensor (n, ...), or a tuple of some.
        expected: the same.
        tolerance: as in :func:`prove`.

    Raises:
        ValueError: they differ.
    """
    for found, wanted in zip(*map(_tensors, (answer, expected)), strict=True):
        allowed = torch.ones(()) if wanted.dtype == torch.uint8 else tolerance * wanted.double().abs().clamp(min=1)
        difference = (found.double() - wanted.double()).abs()
        wrong = ~(difference <= allowed).reshape(len(wanted), -1)  # NaN counts as wrong
        _refuse(name, "get another answer", int(wrong.any(1).sum()), len(wanted))


def _tensors(answer: Any) -> tuple[Tensor, ...]:
    return answer if isinstance(answer, tuple) else (answer,)


def _refuse(name: str, how: str, num_wrong: int, num_examples: int) -> None:
    if num_wrong:
        raise ValueError(
            f"{name}: {num_wrong} of {num_examples} test examples {how} than the network gives: the program must not "
            "be deployed"
        )
