"""`make ui`: where the runs are compared, and for a database the MLflow UI on this machine.

Other options are those of `mlflow ui`. The environment may have MLFLOW_TRACKING_URI, a team's server.
"""

import os
import sys

from pipeline import arguments, noise, ports
from pipeline.tracking import spool
from pipeline.tracking.publishing import describe, open_store

#: MLflow opens an experiment among its pages for language models, unless the address or the browser says otherwise.
COMPARISON = "runs?workflowType=machine_learning&compareRunsMode=CHART"


def main() -> None:
    """Print where each experiment's runs are compared, and for a database become its server; Ctrl-C ends it.

    The server takes further options from the command line.

    Raises:
        ValueError: the port is taken.
    """
    parser = arguments.parser(__doc__, short_help=False)  # in `mlflow ui` -h stands for the host
    parser.add_argument("--host", "-h", default="127.0.0.1")
    parser.add_argument("--port", "-p", type=ports.number, default=5000)
    place, options = parser.parse_known_args()
    server = spool.place().rstrip("/") if spool.is_server() else _address(place.host, place.port)
    if not spool.is_server():
        # MLflow would take ten seconds to say that something else listens there.
        ports.listen(place.host, place.port).close()
    try:
        # `mlflow ui` would create the database without our lock.
        experiments = open_store().client.search_experiments(filter_string="name != 'Default'", order_by=["name"])
    except Exception as error:
        sys.exit(f"error: {describe(error)}")
    for experiment in experiments:
        sys.stdout.write(f"{experiment.name}: {server}/#/experiments/{experiment.experiment_id}/{COMPARISON}\n")
    if spool.is_server():
        return
    sys.stdout.write(f"MLflow will be on {server} in some seconds; Ctrl-C ends it\n")
    sys.stdout.flush()
    # Else it starts seven more processes, for features that need a language model.
    os.environ.setdefault("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
    for name, value in noise.MLFLOW_SERVER.items():
        os.environ.setdefault(name, value)
    # Every user of the machine sees the command line, and the address may hold a password.
    os.environ["MLFLOW_BACKEND_STORE_URI"] = spool.address()
    command = [sys.executable, "-m", "mlflow", "ui", "--host", place.host, "--port", str(place.port), *options]
    os.execv(sys.executable, command)  # noqa: S606


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


if __name__ == "__main__":
    try:
        main()
    except ValueError as error:
        sys.exit(f"error: {error}")
