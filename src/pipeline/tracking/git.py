"""Which code ran: commit and changes since."""

import subprocess
from dataclasses import dataclass

#: DVC rewrites dvc.lock while stages run, which changes no code.
TRACKED = ("--", ".", ":(exclude)dvc.lock")
#: Whatever the user's settings, a patch that `git apply` takes.
DIFF = ("diff", "--binary", "--no-color", "--no-ext-diff")
#: Where an untracked file can take part in a computation.
SOURCES = ("src", "stages")


@dataclass(frozen=True)
class Commit:
    """The state of the working tree.

    Attributes:
        sha: the commit checked out.
        diff: a patch that makes the working tree from it; empty for a clean tree.
    """

    sha: str
    diff: str


def commit() -> Commit | None:
    """The state of the tree in the current folder; None outside a repository, before its first commit, without git."""
    try:
        sha = _git("rev-parse", "HEAD").strip()
        untracked = _git("ls-files", "--others", "--exclude-standard", "-z", *SOURCES).split("\0")[:-1]
        # With --no-index the status 1 says that the files differ, as they must.
        added = [_git(*DIFF, "--no-index", "--", "/dev/null", file, differs=True) for file in untracked]
        return Commit(sha, "".join([_git(*DIFF, "HEAD", *TRACKED), *added]))
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None


def _git(*arguments: str, differs: bool = False) -> str:
    done = subprocess.run(["git", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if done.returncode and not (differs and done.returncode == 1):
        raise subprocess.CalledProcessError(done.returncode, ["git", *arguments])
    return done.stdout.decode(errors="surrogateescape")
