"""Files for a while, which no kill leaves behind: they have no name."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from aslbatch.errors import TeacherError


@contextmanager
def scratch_file() -> Iterator[IO[bytes]]:
    """Yield an empty file that is gone on the way out, or with the process.

    Raises:
        TeacherError: It cannot be written, for lack of room most often.
    """
    try:
        with tempfile.TemporaryFile() as file:
            yield file
    except OSError as error:
        raise TeacherError(
            f"a temporary file in {tempfile.gettempdir()} cannot be written "
            f"({error.strerror or error}): set TMPDIR to a folder with room, and run the same "
            f"command again"
        ) from error
