"""The process beside the stages: brings their journals into MLflow while they work, and tells how they ended.

It watches the folder of journals, so one process serves all stages that write to one store; every stage starts it, and
whoever comes second stands by until the first is gone. It stays for a while, because importing MLflow and opening the
store take seconds, and stages follow each other.
"""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from pipeline import arguments
from pipeline.core.files import write_text
from pipeline.tracking import projection, spool
from pipeline.tracking.errors import UnusableError
from pipeline.tracking.publishing import describe, is_refusal, open_store

if TYPE_CHECKING:
    from pipeline.tracking.store import Steps, Store

#: Seconds between two looks at the folder, between two looks into the journal of a running stage, and before a server
#: that failed is asked again.
LOOK, INTERVAL, RETRY = 0.1, 5.0, 15.0
#: Seconds without work after which the process ends, and after which it looks for models that DVC has restored.
LINGER, PAUSE = 20.0, 3.0
EVERY = "every model"
#: MLflow's code for a value that it doesn't take; errors that aren't MLflow's have none.
REFUSED = "INVALID_PARAMETER_VALUE"


class Publisher:
    """Publishes journals until there have been none for a while, or the server refuses the login.

    Args:
        own: the journal of the stage that started this process, with which it has user and password in common.
    """

    def __init__(self, own: Path) -> None:
        self.own, self.refused = own, False
        self.store: Store | None = None
        self.steps: dict[str, Steps] = {}
        #: Input key, or EVERY -> when publishing failed last.
        self.failed_at: dict[str, float] = {}
        self.problem = ""
        #: Journal of a running stage -> its size when it was published last, and when that was.
        self.seen: dict[Path, tuple[int, float]] = {}

    def run(self, held: TextIO) -> None:
        """Work until nothing has been left to do for ``LINGER`` seconds.

        It ends before if the lock file ``held`` is deleted, or the repository moved: MLflow remembers places.
        """
        root = spool.root()
        # Without the time that attempts take: the next stage should find a process that knows that the server hangs.
        idle, restored = 0.0, False
        while not self.refused and idle < LINGER and os.fstat(held.fileno()).st_nlink and spool.root() == root:
            models = spool.models(spool.store())
            # A model that can't be published must not keep others waiting.
            keys = sorted(models, key=lambda key: self.failed_at.get(key, 0.0))
            looks = [self._look(key, models[key]) for key in keys]
            idle, restored = (0.0, False) if any(looks) else (idle + LOOK, restored)
            if idle >= PAUSE and not restored:
                self._publish_outputs()
                restored = True
            time.sleep(LOOK)

    def _look(self, key: str, journals: list[Path]) -> bool:
        """Publish what is new of one model; whether there will be more to do."""
        now = time.monotonic()
        if all(now - self.failed_at.get(name, -RETRY) >= RETRY for name in (key, EVERY)):
            try:
                for journal in journals:
                    self._publish(key, journal)
                return True
            # Whatever MLflow raises, the stage goes on and the journal stays.
            except Exception as error:
                self.failed_at[key] = time.monotonic()
                if _is_of_the_store(error):
                    self.failed_at[EVERY] = self.failed_at[key]
                self.problem, self.refused = describe(error), is_refusal(error)
        # Other stages may have another login, with which the processes that stand by for them try next.
        for journal in [self.own] if self.refused else journals:
            if not spool.problem(journal).exists() and journal.exists():
                write_text(spool.problem(journal), self.problem)
                if not journal.exists():  # `make track` was faster
                    spool.problem(journal).unlink(missing_ok=True)
        return any(map(spool.alive, journals))

    def _publish_outputs(self) -> None:
        """Publish the models in the workspace: DVC restores some without running a stage, and writes its lock late."""
        for folder in projection.outputs():
            try:
                self._open().publish_outputs(folder)
            # It may be half restored, or the store gone: `make track` says so.
            except Exception as error:
                if _is_of_the_store(error):
                    return

    def _open(self) -> "Store":
        if self.store is None or self.store.is_gone():
            self.store, self.steps = open_store(), {}
        return self.store

    def _publish(self, key: str, journal: Path) -> None:
        now = time.monotonic()
        size, at = self.seen.get(journal, (0, -INTERVAL))
        if spool.alive(journal) and (now - at < INTERVAL or journal.stat().st_size == size):
            return
        store = self._open()
        with store.lock():
            if not journal.exists():  # `make track` was faster
                return
            size = journal.stat().st_size
            store.publish_journal(journal, self.steps.setdefault(key, {}))
            spool.problem(journal).unlink(missing_ok=True)
            self.seen[journal] = size, now
            if not journal.exists():  # from now on others may publish steps of this model
                self.steps.pop(key, None)


def _is_of_the_store(error: Exception) -> bool:
    """Whether other models would fail too: a server that hangs should cost its time once, not once a model."""
    return isinstance(error, OSError | UnusableError) or getattr(error, "error_code", REFUSED) != REFUSED


def main(journal: Path) -> None:
    """Publish ``journal`` and others, or stand by while another process does it."""
    os.nice(10)  # the stage's work comes first
    while journal.exists():
        with spool.locked(f"publisher-{spool.store()}", patience=0.5) as held:
            if held:
                Publisher(journal).run(held)
                return


if __name__ == "__main__":
    parser = arguments.parser(__doc__)
    parser.add_argument("journal", type=Path, help="what a stage tells of itself")
    main(parser.parse_args().journal)
