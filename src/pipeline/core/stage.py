"""What every stage's entry point shares: its argument, the versions it needs, no drift, errors without a traceback."""

import argparse
import inspect
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from pipeline.core import versions
from pipeline.watching import drift, leftovers

#: Seconds after which a stage that shows no progress says that it is at work.
PATIENCE = 10.0


def run(main: Callable[[str], None], shows_progress: bool = False) -> None:
    """Call ``main`` with the command's one argument, which is called what ``main`` calls it.

    What takes seconds to import is imported by ``main``, so that ``--help`` and a missing argument need none of it.
    Unless the stage itself shows how far it is, one line says what is going on if it isn't done at once.

    A mistake of the user's (``ValueError``), such as to change what the stage reads while it runs, or of the machine's
    (``OSError``: disk full, read-only, missing file) ends the process with status 1 and its message alone, Ctrl-C with
    status 130.
    """
    name, purpose = _arguments(main)
    reminder = threading.Timer(PATIENCE, say, [f"{Path(sys.argv[0]).stem} {name}: at work ({purpose})"])
    reminder.daemon = True
    if not shows_progress:
        reminder.start()
    try:
        leftovers.remove()
        drift.start()
        versions.check()
        main(name)
        drift.check()
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        say("interrupted: what is finished is kept, and `dvc repro` goes on from there")
        sys.exit(130)
    finally:
        reminder.cancel()


def _arguments(main: Callable[[str], None]) -> tuple[str, str]:
    """The command's argument, and what the stage makes of it: the first line of its module's docstring."""
    description = inspect.getdoc(sys.modules[main.__module__]) or ""
    (parameter,) = inspect.signature(main).parameters
    parser = argparse.ArgumentParser(
        prog=f"python {sys.argv[0]}",
        description=f"{description}\n\ndvc.yaml calls this; by hand: dvc repro {Path(sys.argv[0]).stem}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", metavar=parameter.upper(), help=" ".join((inspect.getdoc(main) or "").split()))
    name: str = parser.parse_args().name
    purpose = description.partition("\n")[0].partition(": ")[2]
    return name, purpose.rstrip(".").replace(f"<{parameter}>", name)


def say(text: str) -> None:
    """Tell the user something: a warning, or what is going on. Standard output belongs to results."""
    sys.stderr.write(f"{text}\n")
