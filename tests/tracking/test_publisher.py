from pipeline.tracking import spool
from pipeline.tracking.publisher import EVERY, Publisher


def test_a_damaged_store_is_opened_once_and_not_once_a_model(tmp_path, monkeypatch):
    database = tmp_path / "mlflow.db"
    database.write_bytes(bytes(range(256)) * 100)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{database}")
    journals = [tmp_path / f"{key}.jsonl" for key in "ab"]
    for journal in journals:
        journal.touch()
    publisher = Publisher(journals[0])
    for journal in journals:
        publisher._look(journal.stem, [journal])

    assert publisher.failed_at.keys() == {"a", EVERY}
    assert all("mlflow.db is damaged" in spool.problem(journal).read_text(encoding="utf-8") for journal in journals)
