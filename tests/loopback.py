"""Servers of the tests: a free port on loopback, and waiting until a server answers on it."""

import socket
import subprocess
import time
from pathlib import Path


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_it_answers(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    """Wait for a server that was just started; one that does not answer is ended.

    Raises:
        RuntimeError: It ended, or does not answer within a minute; with the end of its log.
    """
    give_up_at = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < give_up_at:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    server.kill()
    server.wait()
    raise RuntimeError(f"{server.args[0]} does not start: {log.read_text()[-2_000:]}")
