"""A file system that opens with a password alone, as object stores do with their keys."""

import fsspec
from fsspec.implementations.memory import MemoryFileSystem

PASSWORD = "s3cr3t-passw0rd"


class LockedFileSystem(MemoryFileSystem):
    """Files in memory behind `locked://`; it repeats a wrong password, as some do."""

    protocol = "locked"

    def __init__(self, password=None, **options):
        super().__init__(**options)
        if password != PASSWORD:
            raise ValueError(f"wrong password: {password}")


def lock_up(folder, url):
    """Copy a local folder to a URL such as `locked://models/tiny`."""
    fsspec.register_implementation("locked", LockedFileSystem, clobber=True)
    files, root = fsspec.core.url_to_fs(url, password=PASSWORD)
    for file in folder.iterdir():
        files.pipe_file(f"{root}/{file.name}", file.read_bytes())
