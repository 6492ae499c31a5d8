"""`make ui`: the MLflow UI on this machine, for the store that the stages write to."""

import os
import sys

from pipeline.tracking import spool
from pipeline.tracking.journal import without_password
from pipeline.tracking.publishing import open_store


def main() -> None:
    """Become the MLflow server, which takes further options from the command line; Ctrl-C ends it."""
    if spool.is_server():
        sys.stdout.write(f"the runs are on {without_password(spool.address())}\n")
        return
    # The server would create the database without our lock.
    open_store()
    # Else it starts seven more processes, for features that need a language model.
    os.environ.setdefault("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
    # Every user of the machine sees the command line, and the address may hold a password.
    os.environ["MLFLOW_BACKEND_STORE_URI"] = spool.address()
    command = [sys.executable, "-m", "mlflow", "ui", "--host", "127.0.0.1", "--port", "5000", *sys.argv[1:]]
    os.execv(sys.executable, command)  # noqa: S606


if __name__ == "__main__":
    main()
