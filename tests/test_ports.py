import argparse
import socket

import pytest

from pipeline import ports


@pytest.mark.parametrize("text", ["abc", "", "-1", "0", "65536", "99999", "5e3", "1.5"])
def test_what_is_no_port_is_refused_by_the_parser(text, capsys):
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=ports.number)
    with pytest.raises(SystemExit) as ended:
        parser.parse_args([f"--port={text}"])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith("usage: ") and f"{text!r} is not a port; choose one from 1 to 65535 by PORT=" in said


def test_ports_are_read():
    assert [ports.number(text) for text in ("1", "5000", "65535")] == [1, 5000, 65535]
    assert ports.number("0", least=0) == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_port_that_is_taken_is_named_with_the_remedy(host):
    try:
        listening = ports.listen(host, 0)
    except ValueError:
        pytest.skip(f"this machine has no {host}")
    with listening:
        assert listening.family == (socket.AF_INET6 if ":" in host else socket.AF_INET)
        port = listening.getsockname()[1]
        with pytest.raises(ValueError, match=f":{port}: Address already in use; .* choose another by PORT="):
            ports.listen(host, port)
    ports.listen(host, port).close()


def test_a_host_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"^256\.0\.0\.1:5000: "):
        ports.listen("256.0.0.1", 5000)
