import pytest

from pipeline.core import params


@pytest.fixture
def written(tmp_path):
    def write(text):
        file = tmp_path / "params.yaml"
        file.write_text(text, encoding="utf-8")
        return params.read(file)

    return write


def test_values_are_those_of_yaml_1_2(written):
    text = "a: 1e-3\nb: on\nc: 010\nd: [1, 2.5]\ne: {f: null, g: yes}\n"
    content = written(text)
    assert content == {"a": 1e-3, "b": "on", "c": 10, "d": [1, 2.5], "e": {"f": None, "g": "yes"}}
    assert content["a"] == 0.001 and isinstance(content["a"], float)


def test_dvc_reads_the_same(tmp_path):
    from dvc.utils.serialize import load_yaml

    file = tmp_path / "params.yaml"
    file.write_text("a: 1e-3\nb: on\nc: 010\nd: .5\ne: 2026-11-24\nf: ~\n", encoding="utf-8")
    assert params.read(file) == load_yaml(str(file))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [1, 2\nb: 3\n", "line"),
        ("a: 1\na: 2\n", "line 2: not valid YAML: found duplicate key"),
        ("a:\n\tb: 1\n", "line 2: not valid YAML: a tab; indent by spaces"),
        ("a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> other\n", "line 2: not valid YAML: git's mark of a merge"),
        ("b: [\n\t1]\nc: 1\nc: 2\n", "line 4: not valid YAML: found duplicate key"),
        ("# a\nb: [\n\t1]\nc:\n\td: 1\n", "line 5: not valid YAML: a tab"),
        ("a: \x07\n", "not valid YAML in UTF-8"),
        ("", "a mapping with the keys"),
        ("- a\n", "a mapping with the keys"),
    ],
)
def test_what_is_no_yaml_mapping_is_refused_with_its_line(written, text, expected):
    with pytest.raises(ValueError, match=expected):
        written(text)


def test_a_missing_file_says_where_to_get_one(tmp_path):
    with pytest.raises(ValueError, match=r"params\.yaml is missing: .*examples"):
        params.read(tmp_path / "params.yaml")


def test_at_names_the_first_key_that_is_missing():
    content = {"runs": {"lenet": {"train": {"epochs": 3}}}}
    assert params.at(content, "runs.lenet.train.epochs") == 3
    with pytest.raises(ValueError, match=r"^runs\.lenot: the key is missing"):
        params.at(content, "runs.lenot.train.epochs")
    with pytest.raises(ValueError, match=r"^runs\.lenet\.train\.epochs\.x: the key is missing"):
        params.at(content, "runs.lenet.train.epochs.x")
