"""`dvc push` and `dvc pull` with storage that speaks S3 and checks keys: what one has made, nobody makes again."""

import json
import select
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import suppress

import boto3
import pytest
from project import LINEAR, ROOT, Workspace, copy_project
from serving import free_port

# MLflow warns of what it uses of others, and so does the library that speaks S3.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::Warning")]

PATIENCE = 120
BUCKET, REGION = "team", "us-east-1"
TRACK = ("python", "-m", "pipeline.tracking.track")
ON = {"PIPELINE_TRACKING": "on", "PYTHONPATH": "src"}


class Storage:
    """moto's server with one bucket, and a user whose keys it checks."""

    def __init__(self, log):
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        with log.open("w") as said:
            self.process = subprocess.Popen(command, stdout=said, stderr=said)

    def prepare(self):
        """Make bucket and user; then the server believes no other keys."""
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        user, anyone = self._client("iam", "any", "key"), self._client("s3", "any", "key")
        user.create_user(UserName="member")
        key = user.create_access_key(UserName="member")["AccessKey"]
        rule = {"Effect": "Allow", "Action": "s3:*", "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [rule]})
        user.put_user_policy(UserName="member", PolicyName="storage", PolicyDocument=policy)
        anyone.create_bucket(Bucket=BUCKET)
        address = f"{self.endpoint}/moto-api/reset-auth"
        plain = {"Content-Type": "text/plain"}
        urllib.request.urlopen(urllib.request.Request(address, b"0", plain, method="POST")).close()  # noqa: S310
        self.keys = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    def stop(self):
        self.process.kill()
        self.process.wait()

    def _client(self, name, key, secret):
        login = {"aws_access_key_id": key, "aws_secret_access_key": secret, "region_name": REGION}
        return boto3.client(name, endpoint_url=self.endpoint, **login)

    def _answers(self):
        with suppress(OSError), urllib.request.urlopen(f"{self.endpoint}/moto-api/", timeout=5) as answer:  # noqa: S310
            return answer.status == 200
        return False


class Narrow:
    """A way to a server on which nothing more comes after some bytes, as if the line were dead."""

    def __init__(self, port, size):
        self.port, self.left, self.stuck = port, size, threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        with suppress(OSError):  # closed
            while True:
                threading.Thread(target=self._pass_on, args=self.listener.accept()[:1], daemon=True).start()

    def _pass_on(self, client):
        with suppress(OSError), client, socket.create_connection(("127.0.0.1", self.port)) as server:
            while True:
                for source in select.select([client, server], [], [])[0]:
                    if not (data := source.recv(1 << 12)):
                        return
                    if source is client:
                        server.sendall(data)
                        continue
                    self.left -= len(data)
                    if self.left < 0:
                        self.stuck.set()
                        time.sleep(PATIENCE)
                        return
                    client.sendall(data)


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    made = Storage(tmp_path_factory.mktemp("storage") / "log")
    try:
        made.prepare()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def pushed(tmp_path_factory, storage):
    """Someone's workspace after two commits, data and models of both pushed; git's server is ``bare`` beside it."""
    root = tmp_path_factory.mktemp("pushed")
    workspace = copy_project(root / "workspace", LINEAR)
    workspace.run("dvc", "remote", "add", "-d", "team", f"s3://{BUCKET}/pipeline")
    workspace.run("dvc", "remote", "modify", "team", "endpointurl", storage.endpoint)
    for lr in ("0.05", "0.06"):
        workspace.params.write_text(LINEAR.replace("0.05", lr), encoding="utf-8")
        workspace.repro()
        workspace.run("git", "add", "-A")
        workspace.run("git", "commit", "-qm", f"lr {lr}")
        workspace.run("dvc", "push", "--run-cache", **storage.keys)
    workspace.run("git", "clone", "-q", "--bare", ".", str(root / "bare"))
    return workspace


@pytest.fixture
def clone(tmp_path, pushed):
    """A colleague's fresh clone, without data, models or runs."""
    subprocess.run(["git", "clone", "-q", pushed.root.parent / "bare", tmp_path / "clone"], check=True)
    workspace = Workspace(tmp_path / "clone")
    workspace.run("git", "config", "user.email", "test@localhost")
    workspace.run("git", "config", "user.name", "Test")
    yield workspace
    shutil.rmtree(workspace.root / ".pipeline", ignore_errors=True)  # the publishing process ends


def data(workspace):
    folders = [workspace.root / name for name in ("data/raw", "data/processed")]
    return {str(f.relative_to(workspace.root)): f.read_bytes() for d in folders for f in d.rglob("*") if f.is_file()}


def assert_same(workspace, other):
    assert workspace.outputs() == other.outputs() != {}
    assert data(workspace) == data(other) != {}
    assert workspace.run("dvc", "status").stdout == "Data and pipelines are up to date.\n"


def test_after_a_pull_nothing_runs_and_every_model_gets_its_run(clone, pushed, storage, runs):
    clone.run("dvc", "pull", **storage.keys)

    assert clone.repro(**ON) == set()
    assert_same(clone, pushed)
    assert clone.run("git", "status", "--porcelain").stdout == ""

    assert clone.run(*TRACK, **ON).stderr == ""
    [run] = runs(f"sqlite:///{clone.root}/mlruns/mlflow.db")
    assert run["status"] == "FINISHED"
    assert run["params"]["train.optimizer.lr"] == "0.06"
    assert [step for step, _ in run["metrics"]["val/loss"]] == [1, 2]
    assert run["metrics"].keys() >= {"train/loss", "val/accuracy", "test/accuracy"}
    made = {name.removeprefix("outputs/first/"): content for name, content in pushed.outputs().items()}
    assert {name: content for name, content in run["artifacts"].items() if name != "dvc.lock"} == made
    assert run["tags"]["mlflow.source.git.commit"] == pushed.run("git", "rev-parse", "HEAD").stdout.strip()


def test_going_back_to_earlier_parameters_trains_nothing(clone, storage, runs):
    clone.run("dvc", "pull", **storage.keys)
    clone.replace("params.yaml", "0.06", "0.05")

    assert clone.repro("--pull", **ON, **storage.keys) == set()
    clone.run(*TRACK, **ON)
    [run] = runs(f"sqlite:///{clone.root}/mlruns/mlflow.db")
    assert (run["status"], run["params"]["train.optimizer.lr"]) == ("FINISHED", "0.05")
    assert {"model.safetensors", "model.ts", "metrics.json"} <= run["artifacts"].keys()


def test_ci_sees_without_data_whether_the_committed_results_are_those_of_the_files(clone):
    line = "test -z \"$(dvc repro --dry --allow-missing | grep '^Running stage')\""
    assert line in (ROOT / "docs" / "team.md").read_text(encoding="utf-8")
    assert clone.run("bash", "-euo", "pipefail", "-c", line).returncode == 0

    clone.replace("params.yaml", "batch_size: 500", "batch_size: 400")  # of the last stage alone
    assert clone.run("bash", "-euo", "pipefail", "-c", line, check=False).returncode == 1


def test_the_models_of_an_older_commit_get_their_runs_too(clone, storage, runs):
    clone.run("dvc", "fetch", "--all-commits", **storage.keys)
    for revision in ("main", "main~1"):
        clone.run("python", "-m", "pipeline.tracking.revision", revision, **ON)

    found = runs(f"sqlite:///{clone.root}/mlruns/mlflow.db")
    assert {run["params"]["train.optimizer.lr"] for run in found} == {"0.05", "0.06"}


def test_a_pull_that_is_killed_on_the_way_is_completed_by_the_next(clone, pushed, storage):
    sizes = [len(content) for content in (*data(pushed).values(), *pushed.outputs().values())]
    narrow = Narrow(storage.port, (max(sizes) + sum(sizes)) // 2)  # whatever comes first is through, but not all
    clone.run("dvc", "remote", "modify", "--local", "team", "endpointurl", narrow.endpoint)
    process = clone.start("dvc", "pull", "--jobs", "1", **storage.keys)
    assert narrow.stuck.wait(PATIENCE)
    process.kill()
    process.communicate()
    narrow.close()
    assert any(file.is_file() for file in (clone.root / ".dvc/cache/files").rglob("*"))
    assert clone.outputs() != pushed.outputs()

    clone.run("dvc", "remote", "modify", "--local", "--unset", "team", "endpointurl")
    clone.run("dvc", "pull", **storage.keys)

    assert clone.repro() == set()
    assert_same(clone, pushed)


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "secret and wrong"}, "Forbidden"),
        ({"AWS_ACCESS_KEY_ID": "unknown"}, "Forbidden"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "Unable to locate credentials"),
    ],
    ids=["wrong secret", "unknown key", "none"],
)
def test_without_the_right_keys_there_is_one_error_that_shows_none(clone, storage, change, answer):
    environment = {**storage.keys, **change, "HOME": str(clone.root.parent)}
    done = clone.run("dvc", "pull", check=False, **{name: value for name, value in environment.items() if value})

    assert done.returncode == 1
    assert answer in done.stderr
    assert "Traceback" not in done.stderr
    assert not any(secret in done.stderr for secret in ("secret and wrong", *storage.keys.values()))


def test_storage_that_is_gone_is_named_and_costs_nothing(clone, storage):
    clone.run("dvc", "pull", "outputs/first/model.safetensors", **storage.keys)
    before = clone.outputs()
    nowhere = f"http://127.0.0.1:{free_port()}"
    clone.run("dvc", "remote", "modify", "--local", "team", "endpointurl", nowhere)
    done = clone.run("dvc", "pull", check=False, **storage.keys, AWS_MAX_ATTEMPTS="1")

    assert done.returncode == 1
    assert f'Could not connect to the endpoint URL: "{nowhere}/{BUCKET}/' in done.stderr
    assert "Traceback" not in done.stderr
    assert clone.outputs() == before != {}


def test_a_profile_will_do_and_no_key_gets_into_the_project(clone, pushed, storage):
    file = clone.root.parent / "credentials"
    key, secret = storage.keys.values()
    file.write_text(f"[team]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n", encoding="utf-8")
    done = clone.run("dvc", "pull", AWS_PROFILE="team", AWS_SHARED_CREDENTIALS_FILE=str(file))

    assert_same(clone, pushed)
    assert secret not in done.stdout + done.stderr
    for workspace in (clone, pushed):
        contents = [file.read_bytes() for file in workspace.root.rglob("*") if file.is_file()]
        assert len(contents) > 100
        assert not any(secret.encode() in content or key.encode() in content for content in contents)
