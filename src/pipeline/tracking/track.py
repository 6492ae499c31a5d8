"""`make track`: give every model in the workspace, and every journal left behind, its complete run in MLflow.

Journals go to the store in use now, also those that waited for another. Doing it twice adds nothing. The exit status is
1 while something stays unpublished. The environment may have MLFLOW_TRACKING_URI, with MLFLOW_TRACKING_USERNAME and
MLFLOW_TRACKING_PASSWORD; without it the store is mlruns/mlflow.db.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import arguments
from pipeline.tracking import projection, spool
from pipeline.tracking.publishing import describe, open_store

if TYPE_CHECKING:
    from pipeline.tracking.store import Store


def main() -> None:
    """Publish everything and say what could not be."""
    problems: list[str] = []

    def attempt(what: str, publish: Callable[[], None]) -> None:
        try:
            publish()
        # One model that can't be published must not keep the others from it.
        except Exception as error:
            problems.append(f"error: {what}: {describe(error)}")

    models, folders = spool.models(), projection.outputs()
    if not models and not folders:
        return
    try:
        store = open_store()
    except Exception as error:
        kept = f"what is unpublished stays in {spool.FOLDER}, and `make track` publishes it later"
        sys.exit(f"error: {describe(error)}; {kept}")
    for key, journals in models.items():
        attempt(key, partial(_publish_journals, store, journals))
    for folder in folders:
        attempt(str(folder), partial(store.publish_outputs, folder))
    if problems:
        sys.exit("\n".join(problems))


def _publish_journals(store: "Store", journals: list[Path]) -> None:
    with store.lock():
        if any(map(spool.running, journals)):  # the process beside the stage does it
            return
        for journal in filter(Path.exists, journals):
            store.publish_journal(journal)


if __name__ == "__main__":
    arguments.none(__doc__, "make track")
    main()
