import os
import signal
import socket
import subprocess
import sys
import urllib.request

import psutil
import pytest


def answers(uri):
    try:
        return urllib.request.urlopen(f"{uri}/health", timeout=1).status == 200  # noqa: S310
    except OSError:
        return False


def test_a_server_is_named_without_its_password(fresh):
    fresh.env["MLFLOW_TRACKING_URI"] = "http://me:secret@127.0.0.1:9"

    done = fresh.python("-m", "pipeline.tracking.ui")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "the runs are on http://***@127.0.0.1:9\n"


@pytest.mark.slow
def test_the_store_is_served_to_this_machine_only_and_its_address_to_no_command_line(shared, key, until):
    shared.stage("export", key)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    there = type(shared)(shared.root)
    there.env["MLFLOW_TRACKING_URI"] = f"http://127.0.0.1:{port}"

    command = [sys.executable, "-m", "pipeline.tracking.ui", "--port", port, "--workers", "1"]
    env = shared.env | {"MLFLOW_HOST": "127.0.0.2"}
    null = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=shared.root, env=env, stdout=null, stderr=null, process_group=0)
    try:
        until(lambda: answers(there.uri))
        assert there.run(key)["name"] == shared.run(key)["name"]
        server = psutil.Process(process.pid)
        assert not any("sqlite" in word for one in [server, *server.children(recursive=True)] for word in one.cmdline())
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
