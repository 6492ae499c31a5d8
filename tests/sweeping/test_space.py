import pytest
from project import ROOT

from pipeline.core import params
from pipeline.sweeping import space
from pipeline.sweeping.space import Choice, Range

CONTENT = {
    "seed": 1,
    "num_threads": 1,
    "datasets": {"digits": {"kind": "digits", "path": "data/digits.md5", "image_size": 8}},
    "comparisons": {},
    "runs": {
        "first": {
            "task": "classification",
            "dataset": "digits",
            "model": {"name": "linear"},
            "train": {
                "epochs": 2,
                "batch_size": 50,
                "optimizer": {"name": "sgd", "lr": 0.05},
                "loss": {"name": "cross_entropy"},
            },
            "evaluate": {"batch_size": 1000},
            "export": {"batch_size": 500},
        }
    },
}


def test_values_are_yaml_and_ranges_keep_their_kind():
    assert space.parse("train.optimizer.lr=1e-3..0.1:log train.epochs=1..3 train.patience=null,2 seed=1") == {
        "train.optimizer.lr": Range(0.001, 0.1, log=True),
        "train.epochs": Range(1, 3, log=False),
        "train.patience": Choice((None, 2)),
        "seed": Choice((1,)),
    }


def test_a_grid_is_every_combination():
    assert space.grid(space.parse("train.optimizer.name=sgd,adam seed=1,2")) == [
        {"train.optimizer.name": "sgd", "seed": 1},
        {"train.optimizer.name": "sgd", "seed": 2},
        {"train.optimizer.name": "adam", "seed": 1},
        {"train.optimizer.name": "adam", "seed": 2},
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "nothing to try"),
        ("train.epochs", "not NAME=VALUE"),
        ("train.epochs=", "not NAME=VALUE"),
        ("seed=1 seed=2", "given twice"),
        ("seed=1,,2", "'' is not a value"),
        ("seed=.inf", "not a value"),
        ("train.augment={}", "not a value"),
        ("model.name=a:b", "not a value"),
        ("seed=1..b", "not a range"),
        ("seed=true..3", "not a range"),
        ("seed=1..3:linear", "not a range"),
        ("seed=3..1", "the first must be below"),
        ("train.optimizer.lr=0..1:log", "above 0"),
    ],
)
def test_what_is_no_space_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        space.parse(text)


def test_a_range_is_for_a_search():
    with pytest.raises(ValueError, match="give TRIALS=20"):
        space.grid(space.parse("train.epochs=1..3"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trian.epochs=1", "did you mean 'train'"),
        ("train.optimizer.lrr=0.1", r"runs.first.train.optimizer.lrr.*did you mean 'lr'"),
        ("train.epochs=1,0", "runs.first.train.epochs: 0 is not allowed"),
        ("train.epochs=0..3", "runs.first.train.epochs: 0 is not allowed"),
        ("train.epochs.more=1", "has no keys"),
        ("model.hidden=3", "runs.first.model.hidden"),
        ("evaluate.batch_size=1", "doesn't change the trained model"),
        ("train.monitor=val_los", "did you mean 'val_loss'"),
    ],
)
def test_wrong_names_and_values_are_found_before_anything_runs(text, message):
    with pytest.raises(ValueError, match=message):
        space.check(space.parse(text), "first", CONTENT)


def test_an_unknown_run_is_named():
    with pytest.raises(ValueError, match="did you mean 'first'"):
        space.check(space.parse("seed=1"), "frist", CONTENT)


def test_options_that_params_leaves_out_can_be_tried():
    wanted = space.parse("train.patience=2,null train.schedule.name=cosine,constant train.clip_norm=0.5..2.0 seed=1,2")
    space.check(wanted, "first", CONTENT)
    changed = space.changed(CONTENT, {space.key("train.schedule.name", "first"): "cosine"})
    assert changed["runs"]["first"]["train"]["schedule"] == {"name": "cosine"}
    assert "schedule" not in CONTENT["runs"]["first"]["train"]


@pytest.mark.parametrize("run", ["linear", "lenet", "conv_vae"])
def test_any_run_of_params_that_compare_runs_can_be_varied(run):
    space.check(space.parse("train.batch_size=25,50"), run, params.read(ROOT / "params.yaml"))
