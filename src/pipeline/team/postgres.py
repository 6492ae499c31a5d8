"""A PostgreSQL cluster of its own: how it is made, started and stopped.

It is reached by a Unix socket alone, with a password. That is in no argument, which every user of the machine sees, and
in no file. As root all of it runs as the user ``postgres``: PostgreSQL refuses to run as root.
"""

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2  # type: ignore[import-untyped]

from pipeline.core.files import replacing
from pipeline.team import process

#: The role that owns the databases and may do nothing else.
ROLE = "mlflow"
#: Of MLflow: runs and models, and users with their permissions.
DATABASES = ("mlflow", "mlflow_auth")
#: Who may connect: with this line alone nobody else may, and nobody by a network.
ACCESS = f"local {','.join(DATABASES)} {ROLE} scram-sha-256\n"
#: The owner of the cluster, and the user whom root becomes.
SUPERUSER = "postgres"
#: Where Debian has the programs, which it doesn't put on the PATH.
DEBIAN = Path("/usr/lib/postgresql")
#: Bytes that the path of a Unix socket may have, and what PostgreSQL calls it.
MAX_SOCKET, SOCKET = 107, ".s.PGSQL.5432"
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",  # each process of MLflow may hold 30
    "password_encryption": "scram-sha-256",
    "log_min_error_statement": "panic",  # else the log gets statements with what is in them
}
#: Seconds that it may take to start, which after a crash includes a recovery.
PATIENCE = 60


class Postgres:
    """The cluster in ``folder``, which may not exist yet, with the ``password`` of :data:`ROLE`.

    Raises:
        ValueError: PostgreSQL or a user for it is missing, or the folder or the password is of no use.
    """

    def __init__(self, folder: Path, password: str) -> None:
        self.folder, self.password = folder, password
        if "\n" in password:
            raise ValueError("PGPASSWORD has more than one line")
        if len(os.fsencode(folder / SOCKET)) > MAX_SOCKET or "," in str(folder):
            raise ValueError(f"{folder}: no Unix socket can be here; choose a shorter path, without commas")
        self.programs = programs()
        # Without what is secret in ours.
        self.options: dict[str, Any] = {"cwd": "/", "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}}
        if os.geteuid() == 0:
            account = _account()
            self.options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    @property
    def environment(self) -> dict[str, str]:
        """What a client has to know."""
        return {"PGHOST": str(self.folder), "PGUSER": ROLE, "PGPASSWORD": self.password}

    def create(self) -> None:
        """Make the cluster with its role and databases, unless it is there.

        Raises:
            ValueError: the user that it belongs to can't get there, or PostgreSQL refuses.
        """
        if subprocess.run(["test", "-x", self.folder.parent], check=False, **self.options).returncode:
            raise ValueError(f"the user {SUPERUSER} can't enter {self.folder.parent}; choose a folder that others can")
        if self.folder.exists():
            return
        quoted = self.password.replace("'", "''")
        statements = [f"CREATE ROLE {ROLE} LOGIN PASSWORD '{quoted}'"]
        statements += [f"CREATE DATABASE {name} OWNER {ROLE}" for name in DATABASES]
        with replacing(self.folder) as beside:
            beside.mkdir(mode=0o700)
            if os.geteuid() == 0:
                os.chown(beside, self.options["user"], self.options["group"])
            settings = ["--auth=reject", "--encoding=UTF8", "--locale=C", "--data-checksums", "--no-sync"]
            self._call("initdb", f"--pgdata={beside}", f"--username={SUPERUSER}", *settings)
            (beside / "pg_hba.conf").write_text(ACCESS, encoding="utf-8")
            # The owner of the files needs no password in this mode, so that the superuser never gets one.
            alone = ["--single", "-D", str(beside), *_words(SETTINGS | {"exit_on_error": "on"}), SUPERUSER]
            self._call("postgres", *alone, told="\n".join(statements))

    @contextmanager
    def running(self) -> Iterator["subprocess.Popen[bytes]"]:
        """Serve the databases; at the end they are closed in order.

        Raises:
            ValueError: PostgreSQL ends or doesn't answer, or its password is another.
        """
        place = ["-D", str(self.folder), "-k", str(self.folder)]
        command = [str(self.programs / "postgres"), *place, *_words(SETTINGS)]
        with process.running(command, end=signal.SIGINT, **self.options) as started:
            self._wait(started)
            yield started

    def _wait(self, started: "subprocess.Popen[bytes]") -> None:
        deadline, problem = time.monotonic() + PATIENCE, ""
        while started.poll() is None and time.monotonic() < deadline:
            try:
                psycopg2.connect(dbname=DATABASES[0], host=str(self.folder), user=ROLE, password=self.password).close()
                return
            except psycopg2.OperationalError as error:
                problem = str(error)
            if "password authentication failed" in problem:
                raise ValueError(f"PGPASSWORD is not the password that {self.folder} was made with")
            time.sleep(0.1)
        raise ValueError(f"PostgreSQL doesn't answer in {self.folder}; what it says is above")

    def _call(self, program: str, *arguments: str, told: str = "") -> None:
        command = process.bound([str(self.programs / program), *arguments], signal.SIGKILL)
        done = subprocess.run(command, input=told, capture_output=True, encoding="utf-8", check=False, **self.options)
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
            # The reason comes first, and then what it led to.
            reason = next((line for line in lines if "error: " in line or "FATAL: " in line), lines[-1])
            raise ValueError(f"{program} failed: {reason}")


def programs() -> Path:
    """The folder of PostgreSQL's programs: on the PATH, or else where Debian puts them, the newest.

    Raises:
        ValueError: there is none.
    """
    if found := shutil.which("postgres"):
        return Path(found).parent
    versions = sorted(DEBIAN.glob("*/bin/postgres"), key=lambda file: int(file.parents[1].name))
    if not versions:
        raise ValueError("PostgreSQL is missing: `apt-get install postgresql`, or put its programs on the PATH")
    return versions[-1].parent


def _account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SUPERUSER)
    except KeyError:
        raise ValueError(f"as root PostgreSQL needs another user to run as: `useradd --system {SUPERUSER}`") from None


def _words(settings: Mapping[str, str]) -> list[str]:
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
