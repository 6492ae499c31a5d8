"""Every command of the project, given to a member of the team by the environment alone."""

import json
import re
import shutil
import uuid

import pytest
from project import LINEAR, copy_project

# MLflow warns of what it uses of others.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::Warning")]

PROMOTE = "    promote: {metric: accuracy, direction: max, threshold: 0.1, margin: 0.0}\n"


class Member:
    """A member's workspace; what all commands have printed is in ``said``."""

    def __init__(self, workspace, env):
        self.workspace, self.env, self.said = workspace, env | {"PIPELINE_TRACKING": "on", "PYTHONPATH": "src"}, ""

    def run(self, *command, **environment):
        done = self.workspace.run(*command, check=False, **{**self.env, **environment})
        self.said += done.stdout + done.stderr
        return done

    def module(self, name, *arguments, **environment):
        return self.run("python", "-m", f"pipeline.{name}", *arguments, **environment)

    def record(self):
        return json.loads((self.workspace.root / "outputs/first/record.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def anna(server, tmp_path_factory):
    """She comes first, so that the experiment and the registered model are hers."""
    workspace = copy_project(tmp_path_factory.mktemp("anna") / "project", LINEAR + PROMOTE)
    member = Member(workspace, server.join("anna"))
    assert member.run("dvc", "repro").returncode == 0
    workspace.run("git", "add", "-A")
    workspace.run("git", "commit", "-qm", "trained")
    yield member
    shutil.rmtree(workspace.root / ".pipeline")  # the publishing process ends


@pytest.fixture(scope="module")
def ben(server, anna, tmp_path_factory):
    """He has his login in the address, and by a sweep another model than she."""
    workspace = anna.workspace.copy(tmp_path_factory.mktemp("ben") / "project")
    login = server.join("ben")
    pair = f"{login['MLFLOW_TRACKING_USERNAME']}:{login['MLFLOW_TRACKING_PASSWORD']}"
    member = Member(workspace, {"MLFLOW_TRACKING_URI": server.uri.replace("://", f"://{pair}@")})
    swept = member.module("sweeping.sweep", "first", "train.optimizer.lr=0.06")
    assert swept.returncode == 0, swept.stdout + swept.stderr
    [take_over] = re.findall("take it over: (.*)", swept.stdout)
    assert member.run("bash", "-ec", take_over).returncode == 0
    workspace.run("git", "commit", "-qam", "another rate")
    yield member
    shutil.rmtree(workspace.root / ".pipeline")


def test_a_member_does_all_but_to_remove_what_is_anothers(server, anna, ben, places_of):
    for member in (anna, ben):
        done = member.module("tracking.track")
        assert (done.returncode, done.stderr) == (0, "")
    assert anna.module("promotion.promote").stdout.startswith("first: version 1 is champion: ")
    done = ben.module("promotion.promote")
    assert done.stdout.startswith("first: version 2 is champion: "), done.stdout + done.stderr

    shown = ben.module("tracking.ui").stdout
    assert shown.startswith(f"classification/digits: {server.uri}/#/experiments/1/runs?")
    assert f"input_key: {ben.record()['input_key']}" in ben.module("promotion.trace", "first@champion").stdout
    assert ben.module("tracking.revision", "HEAD~1").returncode == 0

    demoted = ben.module("promotion.demote", "first")
    assert demoted.stdout == "first: version 2 was demoted; version 1 is champion again\n"
    denied = ben.module("promotion.demote", "first")
    assert denied.returncode == 1
    assert "Permission denied" in denied.stderr
    assert "champion" in server.client().get_registered_model("first").aliases
    assert "pipeline.demoted" not in server.client().get_model_version("first", "1").tags
    assert anna.module("promotion.demote", "first").stdout == "first: version 1 was demoted; there is no champion now\n"

    other = uuid.uuid4().hex
    wrong = anna.module("promotion.promote", MLFLOW_TRACKING_PASSWORD=other)
    assert (wrong.returncode, wrong.stderr.count("\n")) == (1, 1)
    assert "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD" in wrong.stderr

    told, runs = anna.said + ben.said, repr(server.runs())
    for secret in (*server.passwords.values(), other):
        assert secret not in told
        assert secret not in runs
        for root in (anna.workspace.root, ben.workspace.root, server.data):
            assert places_of(secret, root) == []
