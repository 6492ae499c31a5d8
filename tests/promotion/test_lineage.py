import warnings

import pytest
from ruamel.yaml import YAML

pytestmark = pytest.mark.slow

KEY = "0001" * 16


@pytest.fixture
def find(outputs):
    outputs.put(KEY, 0.6)
    outputs.promote()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own
        from pipeline.promotion.lineage import Lineage
        from pipeline.tracking.publishing import open_store

        lineage = Lineage(open_store())
        yield lambda text: [lineage.describe(run) for run in lineage.find(text)]


def test_a_registered_model_leads_to_what_made_it_and_each_of_that_leads_back(find, outputs):
    [champion] = find("lenet@champion")

    assert champion["run"] == f"lenet · digits · {KEY[:7]}"
    assert champion["params"]["train.optimizer.lr"] == "0.05"
    assert champion["data"] == [f"test {'3' * 32}", f"train {'1' * 32}"]
    assert champion["registered"] == ["lenet/1 @candidate @champion"]
    [version] = outputs.versions()
    back = [
        "lenet/1",
        "lenet",
        KEY,
        KEY[:9],
        "train.optimizer.lr=0.05",
        "1" * 32,
        "3" * 32,
        version.tags["pipeline.program_md5"],
    ]
    assert [find(text) for text in back] == [[champion]] * len(back)


@pytest.mark.parametrize(
    ("text", "message"), [("lenet@nobody", "nobody"), ("lenet/9", "9"), ("f00", "'f00'"), ("a'b", "a'b")]
)
def test_what_is_not_there_is_named(find, text, message):
    with pytest.raises(ValueError, match=message):
        find(text)


def test_the_command_prints_yaml(find, outputs):
    done = outputs.run("promotion.trace", "lenet@candidate")

    assert (done.returncode, done.stderr) == (0, "")
    assert list(YAML(typ="safe").load_all(done.stdout)) == find("lenet")
