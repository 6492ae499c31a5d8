import pytest
import torch

from pipeline.core.spec import DataSpec
from pipeline.core.storage import Meta
from pipeline.network import building
from pipeline.network.batches import Rows
from pipeline.tasks import classification
from pipeline.training import loop
from pipeline.training.options import Augment, TrainOptions
from pipeline.training.pieces import whole
from pipeline.training.task import compiler_options

SPEC = DataSpec(modality="image", shape=(1, 28, 28), num_classes=10)
IMAGES = Meta(spec=SPEC, classes=(), counts={}, scale=255.0, mean=(0.3,), std=(0.3,))
OPTIONS = TrainOptions.model_validate(
    {"epochs": 1, "batch_size": 30, "optimizer": {"name": "adam", "lr": 0.01}, "loss": {"name": "cross_entropy"}}
)


def test_it_learns(problem):
    _, state = problem(epochs=5)
    assert state.history[-1]["val_accuracy"] == 1 and state.history[-1]["train_loss"] < state.history[0]["train_loss"]
    assert list(state.history[0]) == ["epoch", "train_loss", "val_loss", "val_accuracy"]


def test_the_seed_decides_every_bit(problem):
    (first, history), (second, same), (other, _) = (problem(seed=seed, augment={"shift": 1}) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(first.model.parameters(), second.model.parameters(), strict=True))
    assert history.history == same.history
    assert not torch.equal(next(first.model.parameters()), next(other.model.parameters()))


def test_every_example_is_seen_once_an_epoch(problem):
    seen = []

    class Spy:
        def __init__(self, task):
            self.task, self.model = task, task.model

        def update(self, pieces, step):
            seen.extend(piece.inputs for piece in pieces)
            return self.task.update(pieces, step)

        def __getattr__(self, name):
            return getattr(self.task, name)

    task, _ = problem(epochs=1)
    options = task.options.model_copy(update={"epochs": 2})
    loop.fit(Spy(task), problem.train, problem.val, options, 0, min, loop.State(), problem.Silent())
    assert [len(batch) for batch in seen] == [30, 30, 30, 10] * 2
    epochs = [torch.cat(seen[:4]), torch.cat(seen[4:])]
    ordered = [images.flatten(1).to(torch.int64).unique(dim=0) for images in (*epochs, problem.train[0].values)]
    assert torch.equal(ordered[0], ordered[2]) and torch.equal(ordered[1], ordered[2])
    assert not torch.equal(epochs[0], epochs[1])  # another order each epoch


def test_the_train_loss_is_the_mean_over_examples_not_batches(problem):
    # With a learning rate near 0 nothing changes, so that the loss of an epoch is that of the first weights.
    task, state = problem(epochs=1, optimizer={"name": "sgd", "lr": 1e-12})
    expected = task.validate(whole(problem.train[0].values, problem.train[1]))["loss"].item()
    assert state.history[0]["train_loss"] == pytest.approx(expected, rel=1e-5)


def test_validation_measures_every_example_once(problem, monkeypatch):
    _, whole = problem(epochs=1)
    monkeypatch.setattr(loop, "EVALUATION_BATCH", 7)
    _, parts = problem(epochs=1)
    assert parts.history[0]["val_loss"] == pytest.approx(whole.history[0]["val_loss"], rel=1e-6)
    assert parts.history[0]["val_accuracy"] == pytest.approx(whole.history[0]["val_accuracy"])


def test_the_best_epoch_is_kept(problem):
    # This rate oscillates, so that the best epoch isn't the last.
    settings = {"epochs": 8, "optimizer": {"name": "sgd", "lr": 3.0}, "seed": 1}
    val = whole(problem.val[0].values, problem.val[1])
    task, state = problem(keep="best", **settings)
    losses = [row["val_loss"] for row in state.history]
    assert state.best_epoch == losses.index(min(losses)) + 1 != 8
    assert task.validate(val)["loss"].item() == pytest.approx(min(losses), rel=1e-5)
    last, _ = problem(keep="last", **settings)
    assert last.validate(val)["loss"].item() == pytest.approx(losses[-1], rel=1e-5)


def test_patience_stops_after_so_many_epochs_without_a_better_one(problem):
    _, state = problem(epochs=50, optimizer={"name": "sgd", "lr": 3.0}, patience=3, seed=1)
    assert len(state.history) == state.best_epoch + 3 < 50


def test_the_first_of_equal_epochs_is_best():
    rows = [{"epoch": epoch, "val_accuracy": value} for epoch, value in enumerate([0.5, 0.9, 0.7, 0.9], start=1)]
    assert loop.best_epoch(rows, "val_accuracy", max) == 2 and loop.best_epoch(rows, "val_accuracy", min) == 1


def test_a_loss_that_is_not_finite_names_epoch_step_and_remedy(problem):
    observer = problem.Silent()
    with pytest.raises(ValueError, match=r"not finite since step 2 of epoch 1: lower train\.optimizer\.lr \(=1e\+38\)"):
        problem(epochs=5, optimizer={"name": "sgd", "lr": 1e38}, observer=observer)
    assert observer.steps == [1, 2, 3, 4]  # at the end of the epoch at the latest


def test_weights_that_break_in_the_last_step_are_noticed_by_the_validation(problem):
    with pytest.raises(ValueError, match=r"val_loss of epoch 1 is not finite, since its last step"):
        problem(epochs=1, batch_size=100, optimizer={"name": "sgd", "lr": 1e38}, keep="last")


def test_observers_are_told_of_every_step_and_epoch(problem):
    observer = problem.Silent()
    _, state = problem(epochs=2, observer=observer)
    assert observer.steps == list(range(1, 9)) and observer.rows == state.history


@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
@pytest.mark.parametrize("loss", [{"name": "mse"}, {"name": "cross_entropy", "label_smoothing": 0.1}])
def test_every_loss_and_precision_learns(problem, precision, loss):
    _, state = problem(epochs=5, precision=precision, loss=loss, optimizer={"name": "adam", "lr": 0.01})
    assert state.history[-1]["val_accuracy"] == 1


GENERATORS = [
    ("vae", {"model": "conv_vae", "loss": {"name": "elbo"}}),
    ("gan", {"model": "dcgan", "loss": {"name": "non_saturating", "averaging": 0.9}}),
]


@pytest.mark.parametrize(("task", "settings"), GENERATORS, ids=["vae", "gan"])
def test_what_a_network_makes_is_kept_for_the_chosen_epochs(problem, task, settings):
    settings |= {"optimizer": {"name": "adam", "lr": 0.001}, "task": task}
    learner, state = problem(**settings, epochs=3, sample_epochs=(1, 3), keep="last")
    assert list(state.samples) == [1, 3]
    assert state.samples[3].shape == (64, 1, 8, 8)
    assert not torch.equal(state.samples[1], state.samples[3])
    assert torch.equal(state.samples[3], learner.show())


def test_a_task_that_sees_no_use_in_going_on_ends_the_training(problem):
    def collapse(task, state):
        task.check = lambda history: (_ for _ in ()).throw(ValueError("of no use")) if len(history) == 2 else None

    observer = problem.Silent()
    with pytest.raises(ValueError, match="of no use"):
        problem(epochs=5, observer=observer, prepare=collapse)
    assert [row["epoch"] for row in observer.rows] == [1, 2]  # what it was ended for is to be seen


def test_an_epoch_waits_for_the_device_at_its_end_only(problem):
    # On the meta device whatever waits for a number raises: all steps are taken before anything does.
    meta = torch.device("meta")
    with meta:
        network, _ = building.build({"name": "lenet"}, IMAGES.spec, "model")
    options = OPTIONS.model_copy(update={"augment": Augment(shift=1, flip=True), "clip_norm": 1.0})
    task = classification.Task(network, IMAGES, options, num_steps=4)
    inputs, targets = Rows(torch.empty(100, 1, 28, 28, dtype=torch.uint8, device=meta)), torch.empty(100, device=meta)
    observer = problem.Silent()
    with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):
        loop._train_epoch(task, (inputs, targets.long()), options, 0, loop.State(), observer)
    assert observer.steps == [1, 2, 3, 4]


@pytest.mark.slow  # the compiler takes its time
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")  # of the compiler's own doing
@pytest.mark.parametrize(("task", "settings"), [("classification", {"model": "cnn"}), *GENERATORS])
def test_compiled_networks_learn_the_same(problem, task, settings):
    settings = {"model": settings["model"], "loss": settings.get("loss", {"name": "cross_entropy"}), "task": task}

    def compiled(learner, state):
        learner.compile("default")

    _, eager = problem(**settings, epochs=2)
    _, state = problem(**settings, epochs=2, prepare=compiled)
    for name, value in eager.history[-1].items():
        assert state.history[-1][name] == pytest.approx(value, rel=1e-3), name


@pytest.mark.slow  # the compiler takes its time
@pytest.mark.parametrize(("mode", "graphs"), [("default", False), ("reduce-overhead", True)])
def test_the_compiler_chooses_no_kernel_by_how_long_it_takes(mode, graphs):
    compiled = compiler_options(mode)
    assert compiled["deterministic"] and compiled.get("triton.cudagraphs", False) == graphs
    network = torch.nn.Linear(2, 3)
    network.compile(options=compiled)  # refuses options that it doesn't know
