"""Decode pictures of any size and mode into one array."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from pipeline.core import scratch
from pipeline.core.storage import Examples
from pipeline.source.pictures import Classes, unreadable

#: Pictures that wait to be decoded.
QUEUE = 1024


def decode(parts: dict[str, Classes], raw: Path, size: int, channels: int, origin: Path) -> dict[str, Examples]:
    """Decode every picture of a snapshot.

    Args:
        parts: what :func:`pipeline.source.pictures.scan` found in ``raw``.
        raw: the snapshot of ``origin``.
        size: side of the decoded pictures in pixels.
        channels: 1 for grey, 3 for colour.
        origin: the user's own folder, where broken files are to be mended.

    Returns:
        Part -> examples, inputs (N, channels, size, size), in the order of the classes and their files.

    Raises:
        ValueError: some files can't be decoded; the message names them.
    """
    examples: dict[str, Examples] = {}
    problems: dict[str, str] = {}
    for part, classes in parts.items():
        files = [file for files in classes.values() for file in files]
        inputs = scratch.array((len(files), channels, size, size), np.uint8)
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # Pillow decodes outside Python's lock
            for begin in range(0, len(files), QUEUE):
                these = files[begin : begin + QUEUE]
                found = pool.map(_decode, these, inputs[begin : begin + QUEUE])
                problems |= {str(file.relative_to(raw)): told for file, told in zip(these, found, strict=True) if told}
        targets = np.repeat(np.arange(len(classes)), [len(files) for files in classes.values()])
        examples[part] = Examples(inputs, targets)
    if problems:
        raise unreadable(origin, problems)
    return examples


def picture(file: Path, size: int, channels: int) -> np.ndarray:
    """One picture as uint8 (channels, size, size): upright, on white where it is transparent, resized bilinearly.

    Raises:
        Exception: of many kinds, if the file can't be decoded.
    """
    with Image.open(file) as opened:
        image = _eight_bits(ImageOps.exif_transpose(opened))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    # Resizing a palette would mix the numbers of colours, so it comes after the conversion.
    image = image.convert("L" if channels == 1 else "RGB")
    pixels = np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))  # (size, size) or (size, size, 3)
    return pixels.reshape(size, size, channels).transpose(2, 0, 1)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Pillow cuts 16-bit grey at 255 instead of scaling it."""
    if image.mode == "F":
        raise ValueError("pixels are real numbers, whose range isn't known; save it with 8 or 16 bits")
    if image.mode.startswith("I"):
        values = np.asarray(image).astype(np.int64)
        if values.min() < 0 or values.max() > 0xFFFF:
            raise ValueError("more than 16 bits a pixel; save it with 8 or 16 bits")
        return Image.fromarray((values // 257).astype(np.uint8))
    return image


def _decode(file: Path, target: np.ndarray) -> str:
    """Decode a picture into ``target`` (channels, size, size); returns why not."""
    try:
        target[:] = picture(file, target.shape[1], target.shape[0])
    except Exception as error:  # Pillow's plugins raise anything from SyntaxError to struct.error on broken files
        # The text of some errors holds the whole path, which is named already.
        unknown = isinstance(error, UnidentifiedImageError)
        return "not a picture in a known format" if unknown else str(error) or repr(error)
    return ""
