"""`make ui`: the MLflow UI on this machine, for the store that the stages write to."""

import os
import sys

from pipeline.tracking import spool
from pipeline.tracking.publishing import open_store


def main() -> None:
    """Become the MLflow server; Ctrl-C ends it."""
    # The server would create the database without our lock.
    open_store()
    # Else it starts seven more processes, for features that need a language model.
    os.environ.setdefault("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", spool.address(), "--port", "5000"]
    os.execv(sys.executable, command)  # noqa: S606


if __name__ == "__main__":
    main()
