"""User and password, right and wrong, in variables and in the address: what is published, said and kept."""

import time
import uuid

import pytest

# MLflow warns of what it uses of others.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::Warning")]

EPOCHS, EXPERIMENT = 2, "classification/digits"
REMEDY = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"


@pytest.fixture(scope="module")
def member(server):
    """Someone who may not delete in the experiment, since it is another's."""
    server.client().create_experiment(EXPERIMENT)
    return server.join("ben")


def run_of(server, key):
    [run] = [run for run in server.runs() if run["tags"].get("pipeline.input_key") == key]
    return run


def in_address(login, password=None):
    user, password = login["MLFLOW_TRACKING_USERNAME"], password or login["MLFLOW_TRACKING_PASSWORD"]
    return {"MLFLOW_TRACKING_URI": login["MLFLOW_TRACKING_URI"].replace("://", f"://{user}:{password}@")}


def assert_complete(server, key):
    run = run_of(server, key)
    assert run["status"] == "FINISHED"
    assert run["metrics"]["train/loss"] == [(epoch, 1 / epoch) for epoch in range(1, EPOCHS + 1)]
    assert run["artifacts"]["model.safetensors"]


@pytest.mark.parametrize("form", [dict, in_address], ids=["in variables", "in the address"])
def test_a_member_publishes_by_the_environment_alone(server, folder, member, key, form):
    login = form(member)

    assert folder.end(folder.start(key, login)) == ""
    assert folder.run("tracking.track", login).stderr == ""

    assert_complete(server, key)
    folder.assert_keeps_no(member["MLFLOW_TRACKING_PASSWORD"])
    assert member["MLFLOW_TRACKING_PASSWORD"] not in repr(run_of(server, key))


@pytest.mark.parametrize(
    "change",
    [
        lambda login: login | {"MLFLOW_TRACKING_PASSWORD": "secret and wrong"},
        lambda login: {"MLFLOW_TRACKING_URI": login["MLFLOW_TRACKING_URI"]},
        lambda login: in_address(login, "secret@and wrong"),
    ],
    ids=["wrong", "none", "wrong in the address"],
)
def test_a_login_that_is_refused_costs_one_warning_and_nothing_is_lost(server, folder, member, key, change):
    login = change(member)
    warning = folder.end(folder.start(key, login))
    tracked = folder.run("tracking.track", login)
    shown = folder.run("tracking.ui", login)

    assert warning.startswith("warning: the server knows no such user and password; " + REMEDY)
    assert warning.count("\n") == 1
    for done in (tracked, shown):
        assert (done.returncode, done.stdout) == (1, "")
        assert REMEDY in done.stderr
        assert done.stderr.count("\n") == 1
    assert len(folder.journals()) == 1
    folder.assert_keeps_no("secret", "and wrong")

    assert folder.run("tracking.track", member).stderr == ""
    assert folder.journals() == []
    assert_complete(server, key)


def test_an_address_that_is_none_shows_no_password(folder, member, key):
    login = in_address(member, "secret/and wrong")
    warning, tracked = folder.end(folder.start(key, login)), folder.run("tracking.track", login)

    assert warning.count("\n") == 1
    assert (tracked.returncode, tracked.stdout) == (1, "")
    folder.assert_keeps_no("secret", "and wrong")


def test_a_stage_with_the_right_password_does_not_suffer_from_another_with_a_wrong_one(server, folder, member, key):
    other = uuid.uuid4().hex * 2
    wrong = folder.start(other, member | {"MLFLOW_TRACKING_PASSWORD": "secret and wrong"}, gates=[2])
    wait_until(folder.journals)
    right = folder.start(key, member, gates=[1])  # while the process that is to publish both still starts
    wait_until(lambda: list((folder.root / ".pipeline" / "tracking").glob("*.problem")))

    (folder.root / "gate-1").touch()
    assert folder.end(right) == ""
    assert_complete(server, key)
    (folder.root / "gate-2").touch()
    assert folder.end(wrong) == ""  # the other stage's process has done it
    assert_complete(server, other)


def wait_until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_twin_that_a_member_may_not_delete_is_put_aside(server, folder, member, key):
    folder.end(folder.start(key, member))
    name = run_of(server, key)["name"]
    client = server.client()
    experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id
    client.create_run(experiment, start_time=1, tags={"pipeline.input_key": key}, run_name=name)

    assert folder.end(folder.start(key, member)) == ""

    assert_complete(server, key)
    assert [run["status"] for run in server.runs() if run["name"] == f"twin of {name}"] == ["KILLED"]
