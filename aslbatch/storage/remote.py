"""Which kinds of storage may be named, and how each is set up."""

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

import fsspec
from fsspec import AbstractFileSystem
from fsspec.asyn import sync
from fsspec.implementations.local import LocalFileSystem

from aslbatch.errors import AslbatchError, SourceError
from aslbatch.storage.insist import insist, masked, secrets_of

LIMIT_S = 600.0
"""Seconds that one call of storage may take, unless its caller knows better."""

_PACKAGES = {
    "s3": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
    "hf": "huggingface_hub",
}
_CREDENTIALS = {
    "s3": "key and secret (or profile), or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "gs": "token, or GOOGLE_APPLICATION_CREDENTIALS",
    "abfs": "account_name with account_key or sas_token, or AZURE_STORAGE_CONNECTION_STRING",
    "hf": "token, or HF_TOKEN",
}
# s3fs and botocore both retry, each without knowing of the other, and so does `insist`. One silence
# of the server must not be waited out at every level, so botocore alone answers for single
# requests, since a listing or an upload in parts consists of many, and `insist` for the whole.
_S3_CONFIG = {
    "connect_timeout": 10,
    "read_timeout": 20,
    "retries": {"mode": "standard", "total_max_attempts": 3},
}
_SILENCE = logging.NullHandler()


def check_scheme(url: str, *, error: type[AslbatchError] = SourceError) -> str:
    """Return the scheme of a URL, `file` for a local path, if such storage is supported.

    Web servers are not: they list no folders and state no versions, and often serve no ranges.

    Raises:
        AslbatchError: It is not; of the type `error`.
    """
    scheme, has_scheme, _ = url.partition("://")
    if not has_scheme or scheme == "file":
        return "file"
    if scheme not in _PACKAGES:
        known = ", ".join(f"{name}://" for name in _PACKAGES)
        raise error(
            f"{masked(url, ())}: {scheme}:// is no such kind of storage as can be used; use a "
            f"local path, file:// or one of {known}"
        )
    return scheme


def open_fs(
    url: str, storage_options: Mapping[str, Any], *, error: type[AslbatchError] = SourceError
) -> tuple[AbstractFileSystem, str]:
    """Return the file system of a local path or URL, and what it calls that path.

    S3 clients keep no listings, since others write to the same storage, and their time-outs and
    retries are set so that `insist` has the last word. Options given win over all that.

    Args:
        url: A local path, relative ones to the working directory, or a URL.
        storage_options: Arguments of the file system; for a local path they have no effect.
        error: What to raise.

    Raises:
        AslbatchError: The kind of storage is not supported, or cannot be set up like this.
    """
    scheme = check_scheme(url, error=error)
    if scheme == "file":
        local = LocalFileSystem()
        return local, str(local._strip_protocol(url))
    for chatty in ("azure", "gcsfs"):  # who print a traceback for every fault that `insist` mends
        logging.getLogger(chatty).addHandler(_SILENCE)
    options = dict(storage_options)
    if scheme == "s3":  # the others list their buckets by way of that cache
        options = {"use_listings_cache": False, **options}
        options["config_kwargs"] = {**_S3_CONFIG, **options.get("config_kwargs", {})}
    try:
        fs, inner = fsspec.core.url_to_fs(url, **options)
        if scheme == "s3":
            fs.retries = 1
            fs.connect()  # it looks at most of its options only here
    except ImportError as failure:
        needed = f"needs the package {_PACKAGES[scheme]}; install it"
        raise error(f"{masked(url, ())}: {needed}") from failure
    except Exception as failure:  # of whatever kind the library finds fit for its arguments
        text = masked(str(failure) or type(failure).__name__, secrets_of(options))
        raise error(
            f"{masked(url, ())}: cannot be opened ({text}); check storage_options and the "
            f"environment: {credentials_hint(scheme)}"
        ) from None
    return fs, str(inner)


def ask(
    fs: AbstractFileSystem,
    method: str,
    *arguments: Any,  # noqa: ANN401 - whatever the method takes
    limit_s: float = LIMIT_S,
    **options: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    """Call a method of a file system, as `insist` does, and return what it returns.

    Args:
        fs: The file system.
        method: Name of the method.
        *arguments: Its arguments.
        limit_s: Seconds after which one call has failed. Clients of object stores mind silence only
            after they have sent all they have; a server that does not take it would hang them.
        **options: Its keyword arguments.

    Raises:
        OSError: What storage said last, always with an `errno`, and without credentials.
    """
    call = partial(getattr(fs, method), *arguments, **options)
    if fs.async_impl:
        run = partial(sync, fs.loop, getattr(fs, f"_{method}"), *arguments)
        call = partial(run, timeout=limit_s, **options)
    return insist(call, secrets=secrets_of(fs.storage_options))


def credentials_hint(scheme: str) -> str:
    """Say where the credentials of a kind of storage are looked for."""
    kind = {"s3": "s3", "hf": "hf", "gs": "gs", "gcs": "gs"}.get(scheme, "abfs")
    return _CREDENTIALS[kind]


def is_s3(fs: AbstractFileSystem) -> bool:
    """Return whether a file system is s3fs, whose single requests can be made one by one."""
    return "s3" in ((fs.protocol,) if isinstance(fs.protocol, str) else fs.protocol)
