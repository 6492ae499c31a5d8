"""The project on small parameters, once brought up to date and then copied for each test."""

import pytest
from observing import declared, observe
from project import copy_project

PARAMS = """\
seed: 1
num_threads: 1
datasets:
  digits: {kind: digits, path: data/digits.md5, test_fraction: 0.2}
  diabetes: {kind: diabetes, path: data/diabetes.md5}
  surnames: {kind: surnames, path: data/surnames.md5, text: {unit: character, max_length: 20, vocabulary_size: 60}}
comparisons:
  gan: {dataset: digits, classifier: lenet, num_samples: 50, num_neighbors: 3}
runs:
  text:
    task: classification
    dataset: surnames
    model: {name: text_lstm, embedding_size: 8, hidden_size: 8}
    train: {epochs: 1, batch_size: 500, optimizer: {name: adam, lr: 0.01}, loss: {name: cross_entropy}}
    evaluate: {batch_size: 1000}
    export: {batch_size: 1000}
  vae:
    task: vae
    dataset: digits
    model: {name: vae, hidden_size: 16, latent_size: 4}
    train:
      epochs: 2
      batch_size: 100
      optimizer: {name: adam, lr: 0.01}
      loss: {name: elbo, warmup: 0.5}
      augment: {shift: 1}
      sample_epochs: [1]
    evaluate: {batch_size: 200, num_samples: 2}
    export: {batch_size: 500}
  gan:
    task: gan
    dataset: digits
    model: {name: dcgan, latent_size: 8, num_maps: 4}
    train:
      epochs: 2
      batch_size: 100
      optimizer: {name: adam, lr: 0.001}
      loss: {name: non_saturating, averaging: 0.9}
      augment: {shift: 1}
      sample_epochs: [1, 2]
    evaluate: {batch_size: 1000}
    export: {batch_size: 500}
  a:
    task: regression
    dataset: diabetes
    model: {name: linear}
    train: {epochs: 2, batch_size: 50, optimizer: {name: sgd, lr: 0.01}, loss: {name: mse}}
    evaluate: {batch_size: 1000}
    export: {batch_size: 500}
  c:
    task: classification
    dataset: digits
    model: {name: linear}
    train: {epochs: 2, batch_size: 50, optimizer: {name: sgd, lr: 0.05}, loss: {name: cross_entropy}}
    evaluate: {batch_size: 1000, num_mistakes: 5}
    export: {batch_size: 500}
  lenet:
    task: classification
    dataset: digits
    model: {name: lenet}
    train:
      epochs: 2
      batch_size: 50
      optimizer: {name: sgd, lr: 0.05, momentum: 0.9}
      loss: {name: cross_entropy}
      augment: {shift: 1}
    evaluate: {batch_size: 1000}
    export: {batch_size: 500}
"""


@pytest.fixture(scope="session")
def small_params():
    """The contents of a params.yaml that takes no time."""
    return PARAMS


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory):
    """A workspace in which everything is up to date; don't change it, copy it by ``workspace``."""
    workspace = copy_project(tmp_path_factory.mktemp("project"), PARAMS)
    workspace.repro()
    workspace.run("git", "add", "-A")
    workspace.run("git", "commit", "-qm", "reproduced")
    return workspace


@pytest.fixture(scope="session")
def observed(tmp_path_factory):
    """A workspace in which every stage has run, and what each was seen to read."""
    workspace = copy_project(tmp_path_factory.mktemp("observed"), PARAMS)
    stages, seen, tracked = declared(workspace.root), {}, set()
    for stage in stages:
        # Tracking takes seconds at the end of a stage, and once for each kind shows what observers do.
        tracking = "off" if stage.group in tracked else "on"
        tracked.add(stage.group)
        seen[stage.name] = observe(workspace, stage, PIPELINE_TRACKING=tracking)
    return workspace, stages, seen


@pytest.fixture
def workspace(reproduced, tmp_path):
    """An own copy of the reproduced workspace."""
    return reproduced.copy(tmp_path / "project")
