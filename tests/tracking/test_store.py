import re
import sqlite3
import subprocess
from contextlib import closing

import pytest

from pipeline.tracking.errors import UnusableError
from pipeline.tracking.store import _explaining


def test_a_damaged_database_can_be_put_aside_as_often_as_it_happens_wherever_it_lies(tmp_path):
    database = tmp_path / "my runs" / "mlflow.db"
    database.parent.mkdir()
    for content in ("first", "second"):
        database.write_text(content, encoding="utf-8")
        database.with_name("mlflow.db-wal").touch()
        with pytest.raises(UnusableError) as error, _explaining(database), closing(sqlite3.connect(database)) as opened:
            opened.execute("SELECT 1 FROM runs")
        [command] = re.findall(r"`(mkdir [^`]+)`", str(error.value))
        subprocess.run(["bash", "-ec", command], check=True)

    kept = [(tmp_path / f"my runs/old-{number}/mlflow.db").read_text(encoding="utf-8") for number in (1, 2)]
    assert kept == ["first", "second"]
    assert sorted(path.name for path in database.parent.iterdir()) == ["old-1", "old-2"]
