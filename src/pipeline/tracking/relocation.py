"""Mend the addresses of artifacts after the repository was moved or copied: MLflow stores them absolute."""

import sqlite3

#: Table and column of each address in MLflow's database.
ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("logged_models", "artifact_location"),
)
#: How the address of our artifacts ends, wherever the repository is.
SUFFIX = "/mlruns/artifacts"


def relocate(database: sqlite3.Connection, here: str) -> None:
    """Replace the beginning of every address that lies in this project's artifacts elsewhere.

    Args:
        database: MLflow's; without tables yet, nothing happens.
        here: the URI of the artifacts' folder, which ends in :data:`SUFFIX`.
    """
    if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'experiments'").fetchone():
        return
    found = database.execute("SELECT DISTINCT artifact_location FROM experiments").fetchall()
    with database:  # all or nothing
        for (there,) in found:
            if there and there.endswith(SUFFIX) and there != here:
                for table, column in ADDRESSES:
                    database.execute(
                        f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608
                        f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                        (here, len(there) + 1, there, len(there) + 1, f"{there}/"),
                    )
