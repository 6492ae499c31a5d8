# Two commands are enough: `make repro` builds every model, `make test` runs every test. `make help` lists the rest.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export DVC_NO_ANALYTICS := 1

.DEFAULT_GOAL := help

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 13

setup: .venv/runtime.stamp  ## the environment for `dvc repro`, in .venv

extras: .venv/extras.stamp  ## what S3 storage, a PostgreSQL-backed MLflow server and ONNX need

# The checks come first: a wrong Python should say so at once and not after ten minutes of compiling.
.venv/python.stamp:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v < (3, 14) or sys.exit("error: Python 3.11 to 3.13 is needed and $(PYTHON) is %d.%d; name another: make setup PYTHON=python3.12" % v)'
	$(PYTHON) -m venv .venv
	touch $@

.venv/runtime.stamp: requirements.txt pyproject.toml .venv/python.stamp
	@echo "the environment in .venv: 6 GB, the first time 2 to 4 minutes" >&2
	pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	touch $@

.venv/extras.stamp: requirements-extras.txt .venv/runtime.stamp
	pip install --quiet --disable-pip-version-check --require-hashes -r requirements-extras.txt
	touch $@

.venv/dev.stamp: requirements-dev.txt .venv/runtime.stamp
	pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	touch $@

# The same validation as in the stage `check`, for the better message where DVC's own parser would refuse a file.
repro: setup  ## bring every model of params.yaml up to date, with its MLflow run; JOBS=2: two stages at a time
	@python -m pipeline.recovery
	@python -m pipeline.checking --machine
	@$(if $(JOBS),python -m pipeline.parallel "$(JOBS)")
	@python -m pipeline.reproducing
	@python -m pipeline.tracking.track
	@python -m pipeline.summary --changes

track: setup  ## publish to MLflow what is not there yet, such as restored models; REV=<commit>: the models of that one
	@$(if $(REV),python -m pipeline.tracking.revision "$(REV)",python -m pipeline.tracking.track)

sweep: setup  ## try parameters: RUN=lenet SPACE="train.optimizer.lr=0.01,0.05" [JOBS=2] [TRIALS=20] [SWEEP=name] [METRIC=val_loss]
	@python -m pipeline.sweeping.sweep "$(RUN)" "$(SPACE)" $(if $(TRIALS),--trials "$(TRIALS)") $(if $(JOBS),--jobs "$(JOBS)") $(if $(SWEEP),--sweep "$(SWEEP)") $(if $(METRIC),--metric "$(METRIC)")

ui: track  ## [PORT=5000]: compare the runs: MLflow on http://127.0.0.1:5000
	@python -m pipeline.tracking.ui $(if $(PORT),--port "$(PORT)")

plots: setup  ## compare the runs in one page that needs no server and no network: prints its address
	@python -m pipeline.reporting.plots

leaderboard: track  ## the runs in MLflow, best first: [ALL=1] [MARKDOWN=1] [WRITE=README.md, between its marks]
	@python -m pipeline.reporting.leaderboard $(if $(ALL),--all) $(if $(MARKDOWN),--markdown) $(if $(WRITE),--write "$(WRITE)")

server: extras  ## DATA=<folder> [PORT=5000] [UPGRADE=1]: a team's MLflow server on PostgreSQL, with users and passwords
	@python -m pipeline.team.server $(if $(DATA),"$(DATA)") $(if $(PORT),--port "$(PORT)") $(if $(UPGRADE),--upgrade)

promote: track  ## register every model in MLflow; the best of a name becomes its champion, if params.yaml allows
	@python -m pipeline.promotion.promote

demote: setup  ## RUN=<name>: its champion's title goes back to the champion before
	@python -m pipeline.promotion.demote "$(RUN)"

serve: setup  ## RUN=<name> [PORT=5001]: its champion answers requests on this machine, by MLflow's model server
	@python -m pipeline.serving.serve "$(RUN)" $(if $(PORT),--port "$(PORT)")

lineage: setup  ## OF=<model>@<alias>, a run, commit, md5 or NAME=VALUE: what a model came from, and the way back
	@python -m pipeline.promotion.trace "$(OF)"

onnx: extras  ## RUN=<name>: its exported program for ONNX Runtime, outputs/<name>/model.onnx
	@python -m pipeline.deploying.onnx "$(RUN)"

aotinductor: setup  ## RUN=<name>: its exported program compiled to machine code, outputs/<name>/model.aoti.pt2
	@python -m pipeline.deploying.aotinductor "$(RUN)"

test: .venv/dev.stamp  ## every test
	pytest --numprocesses auto --dist loadfile  # what a file prepares is shared by its tests

chaos: .venv/runtime.stamp  ## kill stages at random moments, 50 times; the bytes must stay the same
	python tools/chaos.py --kills 50 --seed 0

bench: setup  ## training beside the tutorials' loops, into benchmarks/results/
	python benchmarks/speed.py

screenshots: repro .venv/dev.stamp  ## the README's pictures of the DAG, MLflow's pages and `make plots`, taken anew in Chromium
	python tools/dag_picture.py
	python tools/screenshots.py

lint: .venv/dev.stamp  ## style, types, and what docstrings leave out
	ruff check .
	ruff format --check .
	mypy
	python tools/docstrings.py

hooks: .venv/dev.stamp  ## git then checks each commit as lint does, before it is made
	pre-commit install

lock: .venv/dev.stamp  ## write the lock files anew, after a change of the dependencies in pyproject.toml
	tools/lock.sh

.PHONY: help setup extras repro track ui plots leaderboard server sweep promote demote serve lineage onnx aotinductor test chaos bench screenshots lint hooks lock
