"""What every stage's entry point shares: its argument, the versions it needs, no drift, errors without a traceback."""

import sys
from collections.abc import Callable

from pipeline.core import versions
from pipeline.watching import drift, leftovers


def run(main: Callable[[str], None]) -> None:
    """Call ``main`` with the command's one argument: the name of a run or data set.

    A mistake of the user's (``ValueError``), such as to change what the stage reads while it runs, or of the machine's
    (``OSError``: disk full, read-only, missing file) ends the process with status 1 and its message alone, Ctrl-C with
    status 130.
    """
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} NAME, as dvc.yaml calls it")
    try:
        leftovers.remove()
        drift.start()
        versions.check()
        main(sys.argv[1])
        drift.check()
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        say("interrupted: what is finished is kept, and `dvc repro` goes on from there")
        sys.exit(130)


def say(text: str) -> None:
    """Tell the user something: a warning, or what is going on. Standard output belongs to results."""
    sys.stderr.write(f"{text}\n")
