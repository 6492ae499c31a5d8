import psutil
import pytest


@pytest.mark.slow
def test_the_experiments_of_a_server_are_named_there_without_a_password(fresh, server, key):
    fresh.env["MLFLOW_TRACKING_URI"] = server.uri.replace("://", "://me:secret@")
    fresh.stage("export", key)

    done = fresh.python("-m", "pipeline.tracking.ui")

    assert (done.returncode, done.stderr) == (0, "")
    assert f"classification/digits: {server.uri}/#/experiments/" in done.stdout
    assert "secret" not in done.stdout


@pytest.mark.slow
def test_a_server_that_does_not_answer_is_one_error_without_its_password(fresh):
    fresh.env["MLFLOW_TRACKING_URI"] = "http://me:secret@127.0.0.1:9"

    done = fresh.python("-m", "pipeline.tracking.ui")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: MlflowException: API request to http://***@127.0.0.1:9/")
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr


@pytest.mark.slow
def test_the_store_is_served_to_this_machine_only_and_its_address_to_no_command_line(shared, key, serving):
    shared.stage("export", key)
    there = type(shared)(shared.root)

    server = serving("pipeline.tracking.ui", cwd=shared.root, env=shared.env | {"MLFLOW_HOST": "127.0.0.2"})
    server.start()

    there.env["MLFLOW_TRACKING_URI"] = server.uri
    assert there.run(key)["name"] == shared.run(key)["name"]
    first = psutil.Process(server.process.pid)
    assert not any("sqlite" in word for one in [first, *first.children(recursive=True)] for word in one.cmdline())
