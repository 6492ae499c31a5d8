import pytest

from pipeline.core import rooms


def test_a_component_is_found_by_its_file_name():
    assert {"linear", "lenet", "cnn", "lstm", "resnet"} <= set(rooms.names("models"))
    assert rooms.load("models", "lenet", "x").__name__ == "pipeline.models.lenet"


@pytest.mark.parametrize("name", ["lenot", "__init__", "../params", "", "Lenet", "lenet.Model"])
def test_an_unknown_name_lists_those_there_are(name):
    with pytest.raises(ValueError, match=r"^runs\.a\.model\.name: .* valid: cnn, .*lenet"):
        rooms.load("models", name, "runs.a.model.name")
