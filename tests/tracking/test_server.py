import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest


class Server:
    """`mlflow server` on a free port, which can be stopped and started."""

    def __init__(self, store, root, until):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.store, self.root, self.until = store, root, until
        self.uri = f"http://127.0.0.1:{self.port}"

    def start(self):
        store = ["--backend-store-uri", self.store, "--artifacts-destination", str(self.root)]
        command = [sys.executable, "-m", "mlflow", "server", *store, "--port", str(self.port), "--workers", "1"]
        # Seven helper processes, none of which takes part in tracking, would each import MLflow.
        env = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        null = subprocess.DEVNULL
        self.process = subprocess.Popen(command, env=env, stdout=null, stderr=null, process_group=0)
        self.until(self.answers)

    def answers(self):
        try:
            return urllib.request.urlopen(f"{self.uri}/health", timeout=1).status == 200  # noqa: S310
        except OSError:
            return False

    def stop(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def server(shared, tmp_path_factory, until):
    # The database of the other tests saves creating one.
    server = Server(shared.uri, tmp_path_factory.mktemp("artifacts"), until)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.mark.slow
def test_a_server_that_goes_away_during_training_gets_the_rest_later(fresh, server, key, until):
    fresh.env["MLFLOW_TRACKING_URI"] = server.uri
    process = fresh.start("train", key, epochs=30, pause=0.2)
    until(lambda: any("train/loss" in run["metrics"] for run in fresh.runs(key)))
    server.stop()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert err.count("warning") == 1 and "make track" in err

    server.start()
    assert fresh.track().returncode == 0

    run = fresh.run(key)
    assert run["status"] == "FINISHED"
    assert run["metrics"]["train/loss"] == [(epoch, 1 / epoch) for epoch in range(1, 31)]
    assert run["artifacts"] == ["model.safetensors"]
    assert fresh.journals() == []
