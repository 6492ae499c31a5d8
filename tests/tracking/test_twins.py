"""A model has one run even if MLflow was told twice to create it."""

import select
import socket
import threading
from contextlib import suppress

import pytest

pytestmark = pytest.mark.slow

EARLIER_TWIN = """
import sys
from mlflow import MlflowClient
client = MlflowClient(sys.argv[1])
experiment = client.get_experiment_by_name("classification/digits").experiment_id
twin = client.create_run(experiment, start_time=1, tags={"pipeline.input_key": sys.argv[2]}).info.run_id
client.log_metric(twin, "train/loss", 1.0, step=1)
"""


class Relay:
    """A way to a server that breaks once: before the answer to a request that names ``path`` has arrived."""

    def __init__(self, port, path):
        self.port, self.path, self.broken = port, path, False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        with suppress(OSError):  # closed
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client):
        asked = b""
        with suppress(OSError), client, socket.create_connection(("127.0.0.1", self.port)) as server:
            while True:
                for source in select.select([client, server], [], [])[0]:
                    if not (data := source.recv(1 << 16)):
                        return
                    if source is client:
                        asked += data
                        server.sendall(data)
                    elif self.path in asked and not self.broken:
                        self.broken = True
                        return
                    else:
                        asked = b""
                        client.sendall(data)


def test_a_creation_that_is_sent_again_because_its_answer_was_lost_makes_no_twin(fresh, server, key):
    with Relay(server.port, b"/runs/create") as relay:
        fresh.env["MLFLOW_TRACKING_URI"] = relay.uri
        told = fresh.stage("train", key, epochs=2)
    assert relay.broken

    fresh.env["MLFLOW_TRACKING_URI"] = server.uri
    fresh.assert_complete(key, 2)
    assert told["stderr"] == ""


def test_twins_of_two_copies_of_the_project_become_one_run_with_all_values(stored, key):
    stored.stage("train", key, epochs=1)
    done = stored.python("-c", EARLIER_TWIN, stored.uri, key)
    assert done.returncode == 0, done.stderr
    assert len(stored.runs(key)) == 2

    stored.stage("train", key, epochs=2)

    stored.assert_complete(key, 2)
