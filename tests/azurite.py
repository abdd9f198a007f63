"""Azurite, Microsoft's emulator of Azure Blob Storage, on loopback for the tests."""

import base64
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loopback import free_port, wait_until_it_answers

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
    port = free_port()
    words = [program, "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
    words += ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder)]
    log = folder / "azurite.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            words,
            env=os.environ | {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"},
            stdout=output,
            stderr=output,
        )
    try:
        wait_until_it_answers(server, port, log)
        yield {
            "connection_string": "DefaultEndpointsProtocol=http;"
            f"AccountName={ACCOUNT};AccountKey={KEY};"
            f"BlobEndpoint=http://127.0.0.1:{port}/{ACCOUNT};"
        }
    finally:
        server.terminate()
        server.wait(20)
