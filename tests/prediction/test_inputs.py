import io
import sys

import numpy as np
import pytest
from PIL import Image

from pipeline.prediction import inputs
from pipeline.preprocessing.decoding import decode
from pipeline.source.pictures import scan

GREY, ROW, TEXT = ("image", (1, 4, 4)), ("table", (2,)), ("text", ())


def read(kind, *names):
    return list(inputs.read(*kind, [str(name) for name in names]))


def save(file, level=0, size=(4, 4)):
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, level).save(file)
    return file


def problems(found):
    return {one.place.rpartition("/")[2]: one.problem for one in found if one.problem}


def test_folders_are_read_to_the_bottom_in_the_order_of_names_without_hidden_files(tmp_path):
    names = ["b/2.png", "b/10.bmp", "a.gif", "c.png", "é b/ü.png", ".hidden.png", ".cache/0.png"]
    for level, name in enumerate(names):
        save(tmp_path / "in" / name, level)
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "link.png").symlink_to(tmp_path / "in" / "c.png")
    (tmp_path / "in" / "empty").mkdir()

    found = read(GREY, tmp_path / "in" / "c.png", tmp_path / "in")

    assert [(one.file.removeprefix(f"{tmp_path}/in/"), one.example[0, 0, 0]) for one in found] == [
        ("c.png", 3), ("a.gif", 2), ("b/10.bmp", 1), ("b/2.png", 0), ("c.png", 3), ("link.png", 3), ("é b/ü.png", 4),
    ]  # fmt: skip
    assert {(one.example.shape, one.example.dtype.name, one.line, one.problem) for one in found} == {
        ((1, 4, 4), "uint8", None, None)
    }


def test_pictures_are_decoded_as_those_of_a_data_set(tmp_path):
    noise, deep = Image.effect_noise((9, 7), 90), Image.new("I;16", (9, 7), 999)
    images = {"a/b/1.png": noise.convert("RGBA"), "a/2.png": noise.convert("P"), "c/3.tif": noise, "c/4.png": deep}
    for name, image in images.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        image.save(tmp_path / name)
    for channels in (1, 3):
        expected = decode(scan(tmp_path), tmp_path, 4, channels, tmp_path)["train"].inputs
        found = read(("image", (channels, 4, 4)), tmp_path)
        assert np.array_equal([one.example for one in found], expected)


def test_each_broken_picture_is_told_and_the_others_are_read(tmp_path):
    save(tmp_path / "whole.png")
    Image.effect_noise((50, 50), 50).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:500])
    (tmp_path / "empty.png").touch()
    (tmp_path / "notes.txt").write_text("no picture")
    Image.new("F", (5, 5)).save(tmp_path / "real.tif")
    (tmp_path / "dangling.png").symlink_to(tmp_path / "nowhere")

    found = read(GREY, tmp_path, tmp_path / "missing.png")

    assert {name: problem.split(" (")[0].split(",")[0] for name, problem in problems(found).items()} == {
        "cut.png": "image file is truncated",
        "empty.png": "not a picture in a known format",
        "notes.txt": "not a picture in a known format",
        "real.tif": "pixels are real numbers",
        "dangling.png": "No such file or directory",
        "missing.png": "No such file or directory",
    }
    assert [one.file for one in found if one.problem is None] == [str(tmp_path / "whole.png")]


def test_images_that_are_not_squares_are_refused(tmp_path):
    with pytest.raises(ValueError, match="this model reads images of 4 x 6 pixels, and files are decoded to squares"):
        read(("image", (1, 4, 6)), save(tmp_path / "a.png"))


def test_only_a_batch_of_pictures_is_decoded_ahead(tmp_path, monkeypatch):
    decoded = []
    monkeypatch.setattr(inputs, "BATCH", 2)
    monkeypatch.setattr(inputs, "picture", lambda file, size, channels: decoded.append(file))
    for number in range(9):
        save(tmp_path / f"{number}.png")
    found = inputs.read(*GREY, [str(tmp_path)])
    next(found)
    assert len(decoded) <= 2
    assert len(list(found)) == 8 and len(decoded) == 9


def test_rows_of_a_table_have_the_line_they_end_in(tmp_path):
    file = tmp_path / "a.CSV"
    file.write_bytes('\ufeff"a, with\na break",b\r\n1,-2.5e1\r\n\r\n"3", 4\r\n'.encode())
    found = read(ROW, file)
    assert [(one.place, one.example.tolist()) for one in found] == [(f"{file}:3", [1, -25]), (f"{file}:5", [3, 4])]
    assert {one.example.dtype for one in found} == {np.dtype("float32")}


def test_each_wrong_row_is_told_and_the_others_are_read(tmp_path):
    file = tmp_path / "a.csv"
    lines = [b"a,b", b"1,2", b"1", b"1,2,3", b"1,x", b"nan,2", b"1,inf", b"1e39,2", b"1,", b"\xff,2", b"3,4"]
    file.write_bytes(b"\n".join(lines))
    found = read(ROW, file)
    number = "is not a finite float32 number"
    assert problems(found) == {
        "a.csv:3": "1 fields instead of 2",
        "a.csv:4": "3 fields instead of 2",
        "a.csv:5": f"'x' in the column 'b' {number}",
        "a.csv:6": f"'nan' in the column 'a' {number}",
        "a.csv:7": f"'inf' in the column 'b' {number}",
        "a.csv:8": f"'1e39' in the column 'a' {number}",
        "a.csv:9": f"'' in the column 'b' {number}",
        "a.csv:10": f"'\\udcff' in the column 'a' {number}",
    }
    assert [one.example.tolist() for one in found if one.problem is None] == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        ("a,b,c\n1,2,3\n", 1, "3 columns instead of 2, the model's features in the order of its training data"),
        ("a;b\n1;2\n", 1, "1 columns instead of 2"),
        ("", 1, "0 columns instead of 2"),
        ("1,2\n3,4\n", 1, "these are numbers, and the names of the columns come first"),
        ('a,b\n1,"2\n3,4\n', 3, "unexpected end of data; is a quotation mark missing"),
    ],
)
def test_a_table_that_is_none_is_told(tmp_path, content, line, problem):
    file = tmp_path / "a.csv"
    file.write_text(content)
    [found] = read(ROW, file)
    assert (found.line, found.example) == (line, None)
    assert found.problem.startswith(problem)


def test_texts_are_lines(tmp_path):
    file = tmp_path / "a.txt"
    file.write_bytes("\ufeff é, b \r\n\n \t\nno end".encode())
    assert [(one.place, one.example) for one in read(TEXT, file)] == [(f"{file}:1", " é, b "), (f"{file}:4", "no end")]


def test_a_line_that_is_no_text_is_told_and_the_others_are_read(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"a\n\xff\nb\n")
    found = read(TEXT, tmp_path / "a.txt", tmp_path / "missing.txt")
    assert [one.example for one in found] == ["a", None, "b", None]
    told = problems(found)
    assert told.keys() == {"a.txt:2", "missing.txt"}
    assert told["a.txt:2"].startswith("'utf-8' codec can't decode byte 0xff")
    assert told["missing.txt"] == "No such file or directory"


@pytest.mark.parametrize(("kind", "example"), [(ROW, [1, 2]), (TEXT, "1,2")])
def test_a_hyphen_is_standard_input(monkeypatch, kind, example):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"1,2" if kind is TEXT else b"a,b\n1,2")))
    [found] = read(kind, "-")
    assert found.place == f"-:{1 if kind is TEXT else 2}"
    assert np.array_equal(found.example, example)


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        (ROW, "a.txt", "a.txt: this model's tables are .csv files, or - for standard input"),
        (TEXT, "a.csv", "a.csv: this model's texts are .txt files, one text a line, or - for standard input"),
        (TEXT, ".", "this model's texts are .txt files"),
    ],
)
def test_what_a_model_does_not_read_is_refused_before_anything_is_read(kind, name, message):
    with pytest.raises(ValueError, match=message):
        inputs.read(*kind, ["-", name])


def test_batches_are_full_but_for_the_last():
    assert list(inputs.batched(iter(range(5)), 2)) == [[0, 1], [2, 3], [4]]
    assert list(inputs.batched([], 2)) == []


def test_an_error_without_a_text_is_told_by_its_name(tmp_path, monkeypatch):
    def fail(file, size, channels):
        raise EOFError

    monkeypatch.setattr(inputs, "picture", fail)
    [found] = read(GREY, save(tmp_path / "a.png"))
    assert found.problem == "EOFError"
