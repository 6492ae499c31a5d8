"""Registered models with a real MLflow server: registered through it, and served by `mlflow models serve`."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
import warnings
from urllib.error import URLError

import numpy as np
import pytest
from serving import free_port, served

from pipeline.serving import serve

pytestmark = pytest.mark.slow

GOOD, BETTER = ("0001" * 16, 0.6), ("0002" * 16, 0.75)
PATIENCE = 120


@pytest.fixture
def server(outputs, monkeypatch):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    with served(outputs.root, environment) as (address, _):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        yield address


def ask(port, images, deadline):
    """The answer of a model server, which takes a while to start."""
    body = json.dumps({"inputs": images}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json"})
    while True:
        try:
            return json.load(urllib.request.urlopen(request, timeout=30))  # noqa: S310
        except URLError:
            assert time.monotonic() < deadline, "the model server never answered"
            time.sleep(0.5)


def test_a_champion_on_a_server_is_chosen_as_in_a_database_and_answers_requests(outputs, server):
    outputs.put(*GOOD)
    assert outputs.promote() == "version 1 is champion: accuracy 0.6, the first champion"
    outputs.put(*BETTER)
    assert outputs.promote() == "version 2 is champion: accuracy 0.75, version 1 had 0.6"
    assert outputs.demote() == "version 2 was demoted; version 1 is champion again"
    port = str(free_port())

    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", "models:/lenet@champion", "--port", port]
    process = subprocess.Popen([*command, "--env-manager", "local"], cwd=outputs.root / "data", start_new_session=True)
    try:
        answer = ask(port, [[[[7] * 9] * 8]], time.monotonic() + PATIENCE)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    assert answer == {"predictions": [[8.0] * 10]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own
        version, model = serve.load("lenet")
    assert version == "1"
    assert model.predict(np.full((1, 1, 8, 9), 7, np.uint8)).tolist() == [[8.0] * 10]
