import pytest

from pipeline.reporting import marked


@pytest.mark.parametrize(
    "content",
    [
        "nothing",
        "<!-- board -->\n",
        "<!-- /board -->\n<!-- board -->\n",
        "<!-- board -->\n<!-- /board -->\n<!-- board -->\n<!-- /board -->\n",
    ],
)
def test_a_file_without_its_marks_stays_as_it_is(tmp_path, content):
    file = tmp_path / "README.md"
    file.write_text(content, encoding="utf-8")

    with pytest.raises(ValueError, match="needs the line <!-- board --> once"):
        marked.replace(file, "board", "new\n")
    assert file.read_text(encoding="utf-8") == content


def test_a_file_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(ValueError, match="there is no file"):
        marked.replace(tmp_path / "README.md", "board", "new\n")
    assert list(tmp_path.iterdir()) == []


def test_only_what_stands_between_the_marks_changes(tmp_path):
    file = tmp_path / "README.md"
    file.write_text("a\n<!-- board --><!-- /board -->\nb\n", encoding="utf-8")
    for text in ("other\n", "new\n", "new\n"):
        marked.replace(file, "board", text)

    assert file.read_text(encoding="utf-8") == "a\n<!-- board -->\nnew\n<!-- /board -->\nb\n"
