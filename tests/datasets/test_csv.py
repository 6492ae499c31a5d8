import pytest

from pipeline.core.schema import parse
from pipeline.datasets import csv

GOOD = "text,label\nhello,b\nbye,a\n"


def options(**more):
    entry = {"kind": "csv", "path": "mine", "text_column": "text", "label_column": "label"}
    return parse(csv.Options, entry | ({"test_fraction": 0.3} if "test_path" not in more else {}) | more, "datasets.x")


def loaded(tmp_path, files, **more):
    """A data set ``x`` of the file ``mine`` with that content, or of the folder ``mine`` with these files."""
    mine, raw = tmp_path / "mine", tmp_path / "x"
    raw.mkdir()
    if isinstance(files, str | bytes):
        mine.write_bytes(files if isinstance(files, bytes) else files.encode())
    else:
        mine.mkdir()
        for name, content in files.items():
            (mine / name).write_text(content, encoding="utf-8")
    csv.download(mine, raw)
    return csv.load(raw, options(**more))


def test_a_file_with_a_fraction_for_the_test(tmp_path):
    found = loaded(tmp_path, GOOD)
    assert (found.train.inputs.tolist(), found.train.targets.tolist()) == (["hello", "bye"], [1, 0])
    assert (found.classes, found.test) == (("a", "b"), 0.3)
    assert found.text == options().text


def test_a_folder_with_a_file_for_the_test(tmp_path):
    files = {"1.csv": GOOD, "2.csv": "label,more,text\nc,,three\n", "test.csv": GOOD, ".hidden": "not a table"}
    found = loaded(tmp_path, files, test_path="test.csv")
    assert found.train.inputs.tolist() == ["hello", "bye", "three"]
    assert found.train.targets.tolist() == [1, 0, 2]
    assert (found.test.inputs.tolist(), found.classes) == (["hello", "bye"], ("a", "b", "c"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig", "latin-1", "cp1252"])
def test_encodings(tmp_path, encoding):
    found = loaded(tmp_path, GOOD.replace("hello", "héé").encode(encoding), encoding=encoding)
    assert found.train.inputs.tolist() == ["héé", "bye"]


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    assert loaded(tmp_path, "\ufeff" + GOOD).train.inputs.tolist() == ["hello", "bye"]


def test_delimiters_quotation_marks_and_line_ends(tmp_path):
    content = 'label\ttext\r\n a \t"two\r\nlines, ""quoted"""\r\n\r\nb\tplain\r\n'
    found = loaded(tmp_path, content, delimiter="\t")
    assert found.train.inputs.tolist() == ['two\r\nlines, "quoted"', "plain"]
    assert found.classes == ("a", "b")


def test_a_text_longer_than_python_reads_by_default(tmp_path):
    found = loaded(tmp_path, GOOD + "x" * 200_000 + ",a\n")
    assert len(found.train.inputs[2]) == 200_000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"the file has no texts; a header line and one line for each text are needed$"),
        ("text,label\n", r"the file has no texts; a header line"),
        ("txt,label\nhello,a\n", r"the column 'text' is not in the header; did you mean 'txt'\? valid: txt, label$"),
        ("text,label,text\nhello,a,b\n", r"the column 'text' stands twice in the header"),
        (GOOD + "one\n", r"1 lines are wrong; correct or remove them:\n  line 4: 1 fields instead of 2$"),
        (GOOD + "1,2,3\n", r"1 lines are wrong.*\n  line 4: 3 fields instead of 2$"),
        (
            GOOD + ' ,a\n"x\ny",\n,\n',
            r"3 lines .*\n  line 4: 'text' is empty\n  line 5: 'label' is empty\n  line 7: 'text'",
        ),
        (GOOD.encode() + b"caf\xe9,a\n", r"line 4 is not in the encoding utf-8 \(invalid continuation byte\); set enc"),
        (GOOD + '"open,a\nmore,b\n', r"line 4: unexpected end of data; is a quotation mark missing\?$"),
        (GOOD + '"shut"too late,a\n', r"line 4: ',' expected after '\"'; is a quotation mark missing\?$"),
        ("text,label\nhello,a\nbye,a\n", r"every label is 'a'; at least two are needed$"),
    ],
)
def test_a_wrong_file_is_described_with_the_lines(tmp_path, content, message):
    with pytest.raises(ValueError, match=rf"^mine: {message}"):
        loaded(tmp_path, content)


def test_twenty_wrong_lines_are_shown(tmp_path):
    with pytest.raises(ValueError, match=r"^mine: 25 lines are wrong") as raised:
        loaded(tmp_path, GOOD + "one\n" * 25)
    lines = str(raised.value).splitlines()
    assert (lines[1], lines[20], lines[21:]) == (
        "  line 4: 1 fields instead of 2",
        "  line 23: 1 fields instead of 2",
        ["  and 5 more"],
    )


def test_a_file_in_a_folder_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"^mine/b\.csv: 1 lines are wrong"):
        loaded(tmp_path, {"a.csv": GOOD, "b.csv": GOOD + "x\n"})


@pytest.mark.parametrize("files", [GOOD, {"a.csv": GOOD}, {"test.csv": GOOD}])
def test_a_test_file_that_is_missing_or_alone(tmp_path, files):
    with pytest.raises(
        ValueError, match=r"^datasets\.x\.test_path: 'test\.csv' must be one of several files .*mine has "
    ):
        loaded(tmp_path, files, test_path="test.csv")


def test_nothing_at_that_path(tmp_path):
    with pytest.raises(ValueError, match="absent: there is no such file, nor a folder with files in it"):
        csv.download(tmp_path / "absent", tmp_path)
    (tmp_path / "empty/sub").mkdir(parents=True)
    with pytest.raises(ValueError, match="empty: there is no such file, nor a folder with files in it"):
        csv.download(tmp_path / "empty", tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"test_path": "t.csv", "test_fraction": 0.2},
            "give either test_path, a file with the test examples, or test_fr",
        ),
        ({"test_path": None}, "give either test_path, a file with the test examples, or test_fraction, such as 0.2"),
        ({"test_path": "../t.csv"}, r"test_path \(=../t.csv\) must be the name of a file in the folder"),
        ({"encoding": "utf-9"}, "Python knows no such encoding; utf-8, utf-16, cp1252 and latin-1 are usual"),
        ({"delimiter": "||"}, "'||' is not allowed"),
        ({"text": {"unit": "letter", "max_length": 9, "vocabulary_size": 9}}, "'letter' is not allowed"),
        ({"text": {"unit": "word", "max_length": 9, "vocabulary_size": 2}}, "2 is not allowed"),
    ],
)
def test_options_that_are_refused(changes, message):
    with pytest.raises(ValueError, match=rf"^datasets\.x.*{message}"):
        options(**changes)
