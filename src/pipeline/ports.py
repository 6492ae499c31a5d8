"""The port at which a server on this machine listens, as a user names it."""

import argparse
import socket

MAX = 65535


def number(text: str, least: int = 1) -> int:
    """What argparse reads a port by; 0, where ``least`` allows it, stands for any that is free.

    Raises:
        argparse.ArgumentTypeError: it is no port.
    """
    if not text.isdecimal() or not least <= int(text) <= MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; choose one from {least} to {MAX} by PORT=")
    return int(text)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there: who asks first is told in time, and whoever keeps it open has the port.

    Raises:
        ValueError: something else listens there, or there is no such host.
    """
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    listening = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen()
    except OSError as error:
        if listening:
            listening.close()
        problem = error.strerror or str(error)
        raise ValueError(f"{place}: {problem}; end what listens there, or choose another by PORT=") from None
    return listening
