"""`make serve RUN=<name> [PORT=5001]`: MLflow's own model server on this machine, for the champion of a run.

The environment may have MLFLOW_TRACKING_URI, where the registry is.
"""

import signal
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pipeline import arguments, ports
from pipeline.core.files import md5
from pipeline.core.schema import nearest
from pipeline.tracking.publishing import describe, open_store

if TYPE_CHECKING:
    from mlflow.pyfunc import PyFuncModel

HOST, PORT = "127.0.0.1", 5001


def main(name: str, port: int) -> None:
    """Serve until Ctrl-C or SIGTERM; 0 stands for any free port.

    Raises:
        ValueError: the port is taken, or there is no such champion.
    """
    # Listening already now: else another could still take the port while the model is loaded.
    with closing(ports.listen(HOST, port)) as listening:
        version, model = load(name)
        # Here and not above, as in load(): they import MLflow, which must be told its settings before.
        import uvicorn
        from mlflow.pyfunc import scoring_server

        from pipeline.serving import gate

        app = scoring_server.init(model)
        assert model.metadata.signature and model.metadata.signature.inputs, "package.py has written both"
        gate.add_to(app, model.metadata.signature.inputs)
        address = "http://{}:{}".format(*listening.getsockname())
        program = model.unwrap_python_model().program  # type: ignore[no-untyped-call]
        classes = getattr(program, "classes", None)
        columns = f", probabilities of {', '.join(classes)}" if classes else ""
        sys.stdout.write(f"{name}, version {version}{columns}: {address}/invocations; Ctrl-C ends it\n")
        sys.stdout.flush()
        uvicorn.Server(uvicorn.Config(app)).run(sockets=[listening])


def load(name: str) -> "tuple[str, PyFuncModel]":
    """The champion of the registered model ``name``: its version, and the model.

    Raises:
        ValueError: there is no champion, or its program isn't the one that was registered.
    """
    store = open_store()
    from pipeline.promotion import package
    from pipeline.promotion.registry import PROGRAM, Registry

    registry = Registry(store)
    champion = registry.champion(name)
    if champion is None or PROGRAM not in champion.tags:
        promote = "`make promote`, which says why a model isn't one"
        raise ValueError(f"{name!r} has no champion by {promote}; {nearest(name, registry.champions())}")
    with TemporaryDirectory() as folder:
        registered = registry.download(champion, Path(folder))
        found = md5(registered / package.PROGRAM)
        if found != champion.tags[PROGRAM]:
            raise ValueError(
                f"the program of {name}, version {champion.version}, has the md5 {found} and was "
                f"registered with {champion.tags[PROGRAM]}: it was changed since"
            )
        return champion.version, package.rewritten(registered, Path(folder) / "rewritten")


if __name__ == "__main__":
    parser = arguments.parser(__doc__, "make serve RUN=<name of a run> [PORT=5001]")
    parser.add_argument("name", metavar="RUN", help="its champion is served")
    parser.add_argument("--port", type=partial(ports.number, least=0), default=PORT, help="PORT; 0 is any free one")
    given = parser.parse_args()
    if not given.name:
        parser.error("RUN is missing")
    # Else a model that is being loaded would leave its files behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        main(given.name, given.port)
    except KeyboardInterrupt:
        sys.exit(130)
    except ValueError as error:
        sys.exit(f"error: {error}")
    except Exception as error:  # whatever MLflow raises
        sys.exit(f"error: {describe(error)}")
