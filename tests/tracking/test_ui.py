import psutil
import pytest


def test_a_server_is_named_without_its_password(fresh):
    fresh.env["MLFLOW_TRACKING_URI"] = "http://me:secret@127.0.0.1:9"

    done = fresh.python("-m", "pipeline.tracking.ui")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "the runs are on http://***@127.0.0.1:9\n"


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
