"""What libraries say that nobody here can act on: left out by name, each for its reason.

All else that they say is shown. MLflow's own settings are in `tracking/publishing.py`; what an exporter of PyTorch
warns of each time that it is called is left out where it is called.
"""

import logging

#: Message of a logger, as the library's source has it -> why it is left out.
MESSAGES = {
    # DVC
    "'%s' is empty.": "a stage declares what only some runs have: samples if a network makes images, curves of classes",
    "%s %s": "the whole command of a stage: it is as long for each, and `dvc repro` shows it",
    "Updating lock file '%s'": "it is said after each stage",
    "\nTo track the changes with git, run:\n\n%s": "with JOBS=2 after each stage too; `make repro` says it at its end",
    "\nTo enable auto staging, run:\n\n\tdvc config core.autostage true": ".dvc/config says no, on purpose",
    # PyTorch, when it compiles by AOTInductor
    "No CUDA runtime is found, using CUDA_HOME='%s'": "programs are compiled for the CPU",
    "%s is missing a c-shim implementation, using proxy executor as fallback": "the proof shows that it answers right",
}
#: Variables of the environment of an MLflow server.
MLFLOW_SERVER = {
    "PYTHONWARNINGS": "ignore:starlette.middleware.wsgi is deprecated",  # MLflow imports it, in each of its processes
    "MLFLOW_UVICORN_OPTS": "--log-level=warning",  # else there is a line for each request, and for each process
}


def leave_out(target: logging.Filterer) -> None:
    """Let a logger, or a handler that has the records of several, leave out the messages above."""
    target.addFilter(lambda record: record.msg not in MESSAGES)
