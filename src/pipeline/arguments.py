"""How commands read their arguments: `--help` says what they do, and a mistake ends in the usage and status 2."""

import argparse
import sys


def parser(description: str | None, make: str | None = None, short_help: bool = True) -> argparse.ArgumentParser:
    """A parser for the command that this process is.

    Args:
        description: the docstring of its module, which is shown line for line.
        make: how people call it, if they do so by a target of the Makefile, such as ``make demote RUN=<name>``.
        short_help: whether ``-h`` is ``--help``, and nothing else.
    """
    spec = sys.modules["__main__"].__spec__
    made = argparse.ArgumentParser(
        prog=" ".join(make.split()[:2]) if make else f"python -m {spec.name}" if spec else f"python {sys.argv[0]}",
        usage=make,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=False,
    )
    flags = ["-h", "--help"] if short_help else ["--help"]
    made.add_argument(*flags, action="help", help="show this message")
    return made


def one(variable: str, description: str | None, make: str) -> str:
    """The one argument of a command, which the Makefile takes from ``variable`` and passes empty if it isn't given."""
    reader = parser(description, make)
    reader.add_argument("value", metavar=variable, nargs="?", default="", help=argparse.SUPPRESS)
    value: str = reader.parse_args().value
    if not value:
        reader.error(f"{variable} is missing")
    return value


def none(description: str | None, make: str | None = None) -> None:
    """See that there is no argument."""
    parser(description, make).parse_args()
