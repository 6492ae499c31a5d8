"""Five small models, trained, exported and promoted as users do it, and MLflow's server for each."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest
from project import Workspace, copy_project

PARAMS = """\
seed: 1
num_threads: 1
datasets:
  digits: {kind: digits, path: data/digits.md5, image_size: 8}
  diabetes: {kind: diabetes, path: data/diabetes.md5}
  surnames: {kind: surnames, path: data/surnames.md5, text: {unit: character, max_length: 20, vocabulary_size: 60}}
comparisons: {}
runs:
  linear:
    task: classification
    dataset: digits
    model: {name: linear}
    train: {epochs: 2, batch_size: 50, optimizer: {name: sgd, lr: 0.05}, loss: {name: cross_entropy}}
    evaluate: {batch_size: 1000}
    export: {batch_size: 500}
    promote: {metric: accuracy, direction: max, threshold: 0}
  diabetes:
    task: regression
    dataset: diabetes
    model: {name: linear}
    train: {epochs: 2, batch_size: 50, optimizer: {name: sgd, lr: 0.01}, loss: {name: mse}}
    evaluate: {batch_size: 1000}
    export: {batch_size: 500}
    promote: {metric: rmse, direction: min, threshold: 1000}
  surnames:
    task: classification
    dataset: surnames
    model: {name: text_linear}
    train: {epochs: 1, batch_size: 500, optimizer: {name: adam, lr: 0.01}, loss: {name: cross_entropy}}
    evaluate: {batch_size: 1000}
    export: {batch_size: 1000}
    promote: {metric: accuracy, direction: max, threshold: 0}
  vae:
    task: vae
    dataset: digits
    model: {name: vae, hidden_size: 16, latent_size: 4}
    train: {epochs: 1, batch_size: 100, optimizer: {name: adam, lr: 0.01}, loss: {name: elbo}}
    evaluate: {batch_size: 200, num_samples: 2}
    export: {batch_size: 500}
    promote: {metric: rmse, direction: min, threshold: 1}
  gan:
    task: gan
    dataset: digits
    model: {name: gan, latent_size: 8, num_maps: 4, hidden_size: 16}
    train: {epochs: 1, batch_size: 100, optimizer: {name: adam, lr: 0.001}, loss: {name: non_saturating}}
    evaluate: {batch_size: 1000}
    export: {batch_size: 500}
    promote: {metric: diversity, direction: max, threshold: 0}
"""


#: Seconds until a server answers: importing MLflow and loading a model on a busy machine.
PATIENCE = 180


@dataclass
class Served:
    """A running model server.

    Attributes:
        process: `python -m pipeline.serving.serve`.
        said: what it printed when its port was ready.
        log: what else it prints.
    """

    process: "subprocess.Popen[str]"
    said: str
    log: Path

    @property
    def port(self) -> int:
        return int(re.search(r"http://127\.0\.0\.1:(\d+)/invocations", self.said)[1])

    def ask(self, body: object, content_type: str | None = "application/json") -> tuple[int, dict]:
        """Status and answer; ``body`` is sent as JSON unless it is bytes, or a tuple of these: in chunks."""
        sent = iter(body) if isinstance(body, tuple) else body if isinstance(body, bytes) else json.dumps(body).encode()
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            connection.request("POST", "/invocations", sent, {"Content-Type": content_type} if content_type else {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())


@pytest.fixture(scope="session")
def champions(tmp_path_factory) -> Workspace:
    """A workspace in which every run has a champion; don't change it."""
    workspace = copy_project(tmp_path_factory.mktemp("champions"), PARAMS)
    workspace.repro()
    told = workspace.run("python", "-m", "pipeline.promotion.promote", PYTHONPATH="src").stdout
    assert told.count("version 1 is champion") == 5, told
    return workspace


@pytest.fixture(scope="session")
def serving():
    """Serves the champion of a run of a workspace on a free port."""

    @contextmanager
    def serve(workspace: Workspace, name: str) -> Iterator[Served]:
        log = workspace.root / f"{name}.log"
        with log.open("w") as stderr:
            command = [sys.executable, "-m", "pipeline.serving.serve", name, "--port", "0"]
            process = workspace.start(*command, stderr=stderr.fileno(), PYTHONPATH="src")
        try:
            yield Served(process, process.stdout.readline(), log)
        finally:
            with suppress(ProcessLookupError):  # a test has ended it
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            process.stdout.close()

    return serve
