from copy import deepcopy
from pathlib import Path

import pytest
import torch

from pipeline.training import checkpoints
from pipeline.training.checkpoints import Checkpoints
from pipeline.training.loop import State
from pipeline.watching import leftovers

CPU = torch.device("cpu")
SETTINGS = {
    "model": "lstm",
    "epochs": 4,
    "optimizer": {"name": "adam", "lr": 0.01},
    "schedule": {"name": "one_cycle"},
    "augment": {"shift": 1},
    "keep": "best",
}
MAKERS = {
    "vae": {"model": "conv_vae", "task": "vae", "loss": {"name": "elbo", "warmup": 0.5}, "sample_epochs": (1, 3)},
    "gan": {
        "model": "dcgan",
        "task": "gan",
        "optimizer": {"name": "adam", "lr": 0.001, "betas": (0.5, 0.999)},
        "loss": {"name": "non_saturating", "averaging": 0.9},
        "keep": "last",
        "sample_epochs": (1, 3),
    },
}


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


class Killed(BaseException):
    pass


class KilledAfter:
    """Lets checkpoints be written after each step and ends the training at one of them."""

    def __init__(self, step):
        self.step, self.checkpoints = step, None

    def on_step(self, step, losses):
        self.checkpoints.save()
        if step == self.step:
            raise Killed

    def on_epoch(self, row): ...


def weights(task):
    return [weight.detach().clone() for weight in task.model.state_dict().values()]


# Each epoch has 4 steps: the first step, the middle and the end of an epoch, and the very last step.
@pytest.mark.parametrize("killed_after", [1, 6, 8, 16])
@pytest.mark.parametrize("task", ["classification", "vae", "gan"])
def test_a_killed_training_ends_in_the_same_bits(problem, killed_after, task):
    settings = SETTINGS | MAKERS.get(task, {})
    whole, history = problem(**settings)
    observer = KilledAfter(killed_after)

    def keep(task, state):
        observer.checkpoints = Checkpoints("a", "key", task, state)

    with pytest.raises(Killed):
        problem(**settings, observer=observer, prepare=keep)
    restored = []
    resumed, same = problem(
        **settings, prepare=lambda task, state: restored.append(Checkpoints("a", "key", task, state).restore(CPU))
    )
    assert restored == [killed_after]
    assert same.history == history.history and same.best_epoch == history.best_epoch
    assert same.samples.keys() == history.samples.keys()
    assert all(torch.equal(same.samples[epoch], history.samples[epoch]) for epoch in history.samples)
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(resumed), strict=True))


@pytest.mark.slow  # the compiler takes its time
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")  # of the compiler's own doing
def test_a_killed_training_of_compiled_kernels_ends_in_the_same_bits(problem):
    # The last batch of an epoch is smaller than the others, so the two processes meet the sizes in another order.
    settings = SETTINGS | {"model": "cnn"}
    whole, history = problem(**settings, prepare=lambda task, state: task.compile("default"))
    observer = KilledAfter(7)

    def keep(task, state):
        task.compile("default")
        observer.checkpoints = Checkpoints("a", "key", task, state)

    def restore(task, state):
        torch.compiler.reset()  # as in a new process
        task.compile("default")
        assert Checkpoints("a", "key", task, state).restore(CPU) == 7

    with pytest.raises(Killed):
        problem(**settings, observer=observer, prepare=keep)
    resumed, same = problem(**settings, prepare=restore)
    assert same.history == history.history
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(resumed), strict=True))


def test_a_finished_training_ends_in_the_same_bits_again(problem):
    made = []
    whole, history = problem(**SETTINGS, prepare=lambda task, state: made.append(Checkpoints("a", "key", task, state)))
    made[0].save()
    again, same = problem(
        **SETTINGS, prepare=lambda task, state: made.append(Checkpoints("a", "key", task, state).restore(CPU))
    )
    assert made[1] == 16
    assert same.history == history.history
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(again), strict=True))


@pytest.fixture
def saved(problem):
    """Three checkpoints of a run, of which two are kept."""
    made = {}

    def keep(task, state):
        made["checkpoints"] = Checkpoints("a", "key", task, state)

    observer = KilledAfter(3)
    with pytest.raises(Killed):

        def prepare(task, state):
            keep(task, state)
            observer.checkpoints = made["checkpoints"]

        problem(**SETTINGS, observer=observer, prepare=prepare)
    return made["checkpoints"]


def test_two_generations_are_kept(saved):
    assert [file.name[:12] for file in sorted(saved.folder.iterdir())] == ["000000000002", "000000000003"]


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_a_damaged_checkpoint_is_refused_and_the_one_before_it_used(saved, capsys, damage):
    newest = max(saved.folder.iterdir())
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes({"cut": content[: len(content) // 2], "flip": content, "empty": b""}[damage])
    assert Checkpoints("a", "key", saved.task, State()).restore(CPU) == 2
    assert f"{newest} is damaged" in capsys.readouterr().err


def test_a_checkpoint_of_another_training_is_refused_and_the_one_before_it_used(saved, capsys):
    newest = max(saved.folder.iterdir())
    other = Checkpoints("a", "another key", saved.task, saved.state)
    saved.state.step = 4
    other.save()
    foreign = next(other.folder.iterdir()).rename(saved.folder / next(other.folder.iterdir()).name)
    assert Checkpoints("a", "key", saved.task, State()).restore(CPU) == int(newest.name[:12])
    assert f"{foreign} belongs to another training" in capsys.readouterr().err


def test_other_inputs_start_afresh(saved):
    assert Checkpoints("a", "another key", saved.task, State()).restore(CPU) == 0


def test_a_trained_run_keeps_its_newest_checkpoint_and_no_other(saved):
    newest = max(saved.folder.iterdir())
    Checkpoints("a", "other parameters", saved.task, State()).save()
    (saved.folder / ".half-written.pt.1.partial").touch()
    Path("record.json").write_text("{}")
    saved.finish(Path("record.json"))
    assert sorted(saved.folder.parent.rglob("*.*")) == [newest]
    assert (saved.folder / leftovers.MARK).exists()


def test_checkpoints_that_cannot_be_removed_cost_nothing(saved, capsys):
    saved.folder = saved.folder / "missing"
    saved.finish(Path("record.json"))
    assert "warning: the checkpoints in" in capsys.readouterr().err


def test_a_disk_that_cannot_be_written_costs_the_checkpoint_only(saved, capsys):
    before = deepcopy(sorted(saved.folder.iterdir()))
    saved.folder = saved.folder / before[0].name / "no folder"
    saved.save()
    assert "no checkpoint at step 3" in capsys.readouterr().err


def test_checkpoints_that_take_long_are_further_apart_unless_the_environment_says_how_far(saved, monkeypatch):
    default = saved.interval
    saved.save()
    assert saved.interval == default == checkpoints.INTERVAL
    monkeypatch.setattr(checkpoints, "MAX_SHARE", 1e-9)
    saved.save()
    assert saved.interval > default
    monkeypatch.setenv("PIPELINE_CHECKPOINT_SECONDS", "5")
    fixed = Checkpoints("a", "key", saved.task, saved.state)
    fixed.save()
    assert fixed.interval == 5


def test_the_interval_comes_from_the_environment(saved, monkeypatch):
    monkeypatch.setenv("PIPELINE_CHECKPOINT_SECONDS", "0")
    assert Checkpoints("a", "key", saved.task, saved.state).interval == 0
    monkeypatch.setenv("PIPELINE_CHECKPOINT_SECONDS", "soon")
    with pytest.raises(ValueError, match="PIPELINE_CHECKPOINT_SECONDS=soon is not allowed"):
        Checkpoints("a", "key", saved.task, saved.state)
