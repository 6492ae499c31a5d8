"""Pictures of a model's behaviour, the same bytes each time they are drawn."""

import math
from functools import cache
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font

#: The most characters of a text that are drawn.
SHOWN = 90


def draw_mistakes(
    images: np.ndarray, targets: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...], most: int, file: Path
) -> None:
    """Draw the test images that were given a wrong class with the most confidence, surest first.

    Args:
        images: uint8 (N, C, H, W), C 1 or 3.
        targets: int64 (N,) class indices.
        probabilities: float64 (N, K).
        classes: name of each class.
        most: how many are drawn at most.
        file: the PNG to write.
    """
    predicted = probabilities.argmax(axis=1)
    surest, title = _surest_mistakes(targets, probabilities, most)
    num_columns = 5
    num_rows = max(1, math.ceil(len(surest) / num_columns))
    figure = Figure(figsize=(1.7 * num_columns, 2.0 * num_rows + 0.5), layout="constrained")
    figure.suptitle(title)
    axes = list(figure.subplots(num_rows, num_columns, squeeze=False).flat)
    for axis in axes:
        axis.axis("off")
    for axis, index in zip(axes, surest, strict=False):
        picture = images[index].transpose(1, 2, 0)  # (H, W, C)
        axis.imshow(picture.squeeze(2) if picture.shape[2] == 1 else picture, cmap="gray", vmin=0, vmax=255)
        truth, guess = classes[targets[index]], classes[predicted[index]]
        # A class may be called "$5": no formula.
        title = f"{_drawable(f'{truth} → {guess}')}\n{probabilities[index].max():.1%}"
        axis.set_title(title, fontsize=8, parse_math=False)
    save(figure, file)


def draw_text_mistakes(
    texts: np.ndarray, targets: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...], most: int, file: Path
) -> None:
    """The same for texts, str objects (N,): one line each, with the text's beginning."""
    predicted = probabilities.argmax(axis=1)
    surest, title = _surest_mistakes(targets, probabilities, most)
    lines = []
    for index in surest:
        words = " ".join(texts[index].split())
        beginning = words if len(words) <= SHOWN else f"{words[: SHOWN - 1]}…"
        truth, guess = classes[targets[index]], classes[predicted[index]]
        lines.append(_drawable(f"{truth} → {guess}  {probabilities[index].max():.1%}   {beginning}"))
    figure = Figure(figsize=(11, 0.19 * max(1, len(lines)) + 0.6), layout="constrained")
    figure.suptitle(title)
    axis = figure.subplots()
    axis.axis("off")
    axis.text(0, 1, "\n".join(lines), va="top", fontsize=9, linespacing=1.5, parse_math=False)
    save(figure, file)


def _drawable(text: str) -> str:
    """What the font lacks would be drawn as a box anyhow, with a warning."""
    return "".join(character if ord(character) in _known() else "□" for character in text)


@cache
def _known() -> frozenset[int]:
    """The code points that the font has."""
    return frozenset(get_font(findfont(FontProperties())).get_charmap())


def _surest_mistakes(targets: np.ndarray, probabilities: np.ndarray, most: int) -> tuple[np.ndarray, str]:
    """Positions of the mistakes to draw, the surest first, and the picture's title."""
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != targets)
    surest = wrong[np.argsort(-probabilities[wrong, predicted[wrong]], kind="stable")][:most]
    return surest, f"mistakes: {len(wrong)} of {len(targets)}, the surest first: true class → prediction"


def draw_predictions(targets: np.ndarray, predicted: np.ndarray, file: Path) -> None:
    """Draw predictions over true values, both float (N,); a perfect model would lie on the line."""
    figure = Figure(figsize=(5, 5), layout="constrained")
    axis = figure.subplots()
    ends = [min(targets.min(), predicted.min()), max(targets.max(), predicted.max())]
    axis.plot(ends, ends, color="gray", linewidth=1)
    axis.scatter(targets, predicted, s=12)
    axis.set_xlabel("true value")
    axis.set_ylabel("prediction")
    save(figure, file)


def draw_images(rows: np.ndarray, title: str, file: Path) -> None:
    """Draw images in a grid: float (rows, columns, C, H, W) with values from 0 to 1, C 1 or 3."""
    num_rows, num_columns, channels, height, width = rows.shape
    # A line of one pixel's width sets the images apart.
    framed = np.pad(rows, ((0, 0), (0, 0), (0, 0), (0, 1), (0, 1)), constant_values=1)
    grid = framed.transpose(0, 3, 1, 4, 2).reshape(num_rows * (height + 1), num_columns * (width + 1), channels)
    figure = Figure(figsize=(0.7 * num_columns, 0.7 * num_rows * height / width + 0.4), layout="constrained")
    figure.suptitle(title, fontsize=9)
    axis = figure.subplots()
    axis.axis("off")
    axis.imshow(grid.squeeze(2) if channels == 1 else grid, cmap="gray", vmin=0, vmax=1)
    save(figure, file)


def in_rows(stacks: np.ndarray, num_columns: int = 10) -> np.ndarray:
    """Stacks of k images, (n, k, C, H, W), as rows for :func:`draw_images`, one stack beside the other, then below.

    Returns:
        (rows, columns, C, H, W), k rows for each row of stacks; a last row that is too short is filled with white.
    """
    missing = -len(stacks) % num_columns if len(stacks) > num_columns else 0
    full = np.concatenate([stacks, np.ones((missing, *stacks.shape[1:]))])
    columns = full.reshape(-1, min(num_columns, len(full)), *full.shape[1:])  # (rows, columns, k, C, H, W)
    return columns.swapaxes(1, 2).reshape(-1, columns.shape[1], *full.shape[2:])


def save(figure: Figure, file: Path) -> None:
    """Write a PNG without the name and version of the program that drew it."""
    figure.savefig(file, dpi=100, metadata={"Software": None})
