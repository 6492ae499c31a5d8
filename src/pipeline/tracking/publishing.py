"""What the process beside a stage and `make track` have in common."""

import os
from typing import TYPE_CHECKING

from pipeline.tracking.errors import UnusableError
from pipeline.tracking.journal import without_password

if TYPE_CHECKING:
    from pipeline.tracking.store import Store

#: Characters of an error that are shown: MLflow's go on about connection pools.
MAX_LINE = 150
#: A dead server must cost seconds: by default each call retries for four minutes. Nothing is sent to MLflow's makers.
SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # with the password that may be in it
    "MLFLOW_LOGGING_LEVEL": "WARNING",  # how it creates its tables is nobody's concern
}


def open_store() -> "Store":
    """Import MLflow, which takes seconds, and open the store that the environment names."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    from pipeline.tracking.store import Store

    return Store()


def is_refusal(error: Exception) -> bool:
    """Whether the server doesn't know the user, or not with this password."""
    return getattr(error, "error_code", None) == "UNAUTHENTICATED"


def describe(error: Exception) -> str:
    """An error in one short line without passwords."""
    if isinstance(error, UnusableError):
        return str(error)
    if is_refusal(error):
        return "the server knows no such user and password; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
    line = without_password(f"{type(error).__name__}: {error}".splitlines()[0])
    return line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]}…"
