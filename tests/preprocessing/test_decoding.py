from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.preprocessing import decoding
from pipeline.preprocessing.decoding import decode, picture
from pipeline.source.pictures import scan

ORANGE = (255, 128, 0)


def save(tmp_path: Path, image: Image.Image, name: str, **options: object) -> Path:
    image.save(tmp_path / name, **options)
    return tmp_path / name


def colour(file: Path, channels: int = 3) -> list[int]:
    """The one colour of a picture."""
    pixels = picture(file, 8, channels)
    assert (pixels.shape, pixels.dtype) == ((channels, 8, 8), np.uint8)
    assert (pixels == pixels[:, :1, :1]).all()
    return pixels[:, 0, 0].tolist()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK"])
def test_modes_with_colour(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGB", (20, 10), ORANGE)
    image = image.quantize(4) if mode == "P" else image.convert(mode)
    file = save(tmp_path, image, "a.tif" if mode == "CMYK" else "a.png")
    with Image.open(file) as saved:
        assert saved.mode == mode
    assert colour(file) == list(ORANGE)
    assert colour(file, channels=1) == [151]  # 0.299 R + 0.587 G + 0.114 B


@pytest.mark.parametrize(("mode", "value", "grey"), [("L", 77, 77), ("1", 1, 255), ("I;16", 77 * 257, 77)])
def test_grey_modes(tmp_path: Path, mode: str, value: int, grey: int) -> None:
    file = save(tmp_path, Image.new(mode, (5, 30), value), "a.png")
    assert colour(file) == [grey] * 3
    assert colour(file, channels=1) == [grey]


def test_transparent_is_white(tmp_path: Path) -> None:
    assert colour(save(tmp_path, Image.new("RGBA", (9, 9), (0, 0, 0, 0)), "a.png")) == [255] * 3
    palette = Image.new("P", (9, 9), 0)
    palette.putpalette([10, 20, 30])
    assert colour(save(tmp_path, palette, "b.png", transparency=0)) == [255] * 3


def test_the_camera_was_turned(tmp_path: Path) -> None:
    image = Image.new("L", (16, 16), 0)
    image.paste(255, (0, 0, 16, 8))  # the upper half is white
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise: above becomes right
    pixels = picture(save(tmp_path, image, "a.png", exif=exif), 16, 1)[0]
    assert (pixels[:, 8:] == 255).all()
    assert (pixels[:, :8] == 0).all()


@pytest.fixture(params=[decoding.QUEUE, 2])
def queue(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All files at once, or two at a time."""
    monkeypatch.setattr(decoding, "QUEUE", request.param)


@pytest.mark.usefixtures("queue")
def test_all_broken_files_are_named(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        save(tmp_path, Image.new("RGB", (50, 50), ORANGE), f"{name}/good.jpg")
    save(tmp_path, Image.effect_noise((50, 50), 50), "a/cut.png")
    (tmp_path / "a/cut.png").write_bytes((tmp_path / "a/cut.png").read_bytes()[:500])
    (tmp_path / "b/notes.txt").write_text("not a picture")
    (tmp_path / "b/empty.png").touch()
    save(tmp_path, Image.new("F", (5, 5)), "b/real.tif")
    with pytest.raises(ValueError, match=r"mine: 4 of its files") as raised:
        decode(scan(tmp_path), tmp_path, 8, 3, Path("mine"))
    lines = str(raised.value).splitlines()[1:]
    assert [line.split(":")[0].strip() for line in lines] == ["a/cut.png", "b/empty.png", "b/notes.txt", "b/real.tif"]
    assert str(tmp_path) not in str(raised.value)


def test_an_error_without_a_text_is_one_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        save(tmp_path, Image.new("L", (4, 4)), f"{name}/1.png")
    monkeypatch.setattr(decoding, "picture", fail)
    with pytest.raises(ValueError, match=r"a/1\.png: MemoryError\(\)"):
        decode(scan(tmp_path), tmp_path, 4, 1, Path("mine"))


@pytest.mark.usefixtures("queue")
def test_order_and_labels(tmp_path: Path) -> None:
    for index, name in enumerate(["a/1.png", "a/2.png", "b/0.png"]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        save(tmp_path, Image.new("L", (4, 4), index), name)
    examples = decode(scan(tmp_path), tmp_path, 4, 1, Path("mine"))["train"]
    assert examples.inputs[:, 0, 0, 0].tolist() == [0, 1, 2]
    assert examples.targets.tolist() == [0, 0, 1]
