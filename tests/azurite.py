"""Azurite, Microsoft's emulator of Azure Blob Storage, on loopback for the tests."""

import base64
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ACCOUNT = "plantedaccount"
KEY = base64.b64encode(b"PLANTED-SECRET-of-the-azure-account").decode()
_INSTALLED = Path(__file__).parents[1] / ".venv/azurite/node_modules/.bin"


def find_azurite() -> str | None:
    """Return the program, where `make azurite` put it or where the PATH has it."""
    return shutil.which("azurite-blob", path=f"{_INSTALLED}{os.pathsep}{os.environ['PATH']}")


@contextmanager
def running(folder: Path) -> Iterator[dict[str, str]]:
    """Run the server; yields the storage options that reach it."""
    program = find_azurite()
    if program is None:
        raise FileNotFoundError("azurite-blob")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    words = [program, "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
    words += ["--blobHost", "127.0.0.1", "--blobPort", port, "--location", str(folder)]
    log = folder / "azurite.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            words,
            env=os.environ | {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"},
            stdout=output,
            stderr=output,
        )
    try:
        _wait_until_it_answers(server, int(port), log)
        yield {
            "connection_string": "DefaultEndpointsProtocol=http;"
            f"AccountName={ACCOUNT};AccountKey={KEY};"
            f"BlobEndpoint=http://127.0.0.1:{port}/{ACCOUNT};"
        }
    finally:
        server.terminate()
        server.wait(20)


def _wait_until_it_answers(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    give_up_at = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < give_up_at:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"Azurite does not start: {log.read_text()[-2_000:]}")
