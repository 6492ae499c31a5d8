"""`make demote RUN=<name>`: take the champion's title away; the champion before it, if there is one, has it again."""

import sys

from pipeline import arguments
from pipeline.tracking.publishing import describe, open_store


def demote(name: str) -> str:
    """Demote the champion of the registered model ``name``, and say which version is champion now.

    Raises:
        ValueError: it has no champion.
    """
    store = open_store()
    # Here and not above: it imports MLflow.
    from pipeline.promotion.registry import Registry

    with store.lock():
        demoted, champion = Registry(store).demote(name)
    now = f"version {champion.version} is champion again" if champion else "there is no champion now"
    return f"version {demoted.version} was demoted; {now}"


if __name__ == "__main__":
    run = arguments.one("RUN", __doc__, "make demote RUN=<name of a run>")
    try:
        sys.stdout.write(f"{run}: {demote(run)}\n")
    except Exception as error:
        sys.exit(f"error: {describe(error)}")
