"""Files for a while, which no kill leaves behind: they have no name."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from aslbatch.errors import TeacherError


@contextmanager
def scratch_file() -> Iterator[IO[bytes]]:
    """Yield an empty file that is gone on the way out, or with the process.

    What is written to it is to be flushed within `room_told`.

    Raises:
        TeacherError: There is no place for it.
    """
    with room_told():
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed below, whatever is left in it
    try:
        yield file
    finally:
        with suppress(OSError):
            file.close()


@contextmanager
def room_told() -> Iterator[None]:
    """Turn what a temporary file that cannot be written raises into an error with a remedy.

    Raises:
        TeacherError: It cannot be written, for lack of room most often.
    """
    try:
        yield
    except OSError as error:
        where = tempfile.tempdir or "the folder for such files"
        raise TeacherError(
            f"a temporary file cannot be written to {where} ({error.strerror or error}): set "
            f"TMPDIR to a folder with room, and run the same command again"
        ) from error
