"""URIs that may be written down: without credentials."""

import re
from urllib.parse import urlsplit, urlunsplit

PASSWORD_IN_URL = re.compile(r"(?<=://)[^/@\s]*:[^@\s]*@")
"""User and password of a URL, of a chained one too; a password may hold a slash."""

_CONTAINER_BEFORE_HOST = ("az", "abfs", "abfss")


def without_credentials(uri: str) -> str:
    """Return a URI without user, password, query and fragment; a plain path stays as it is.

    Azure writes `abfss://container@account/path`; a container is no user, and stays. Of what is no
    URI, as in `http://[here]`, nothing but its scheme is left.
    """
    if "://" not in uri:
        return uri
    try:
        parts = urlsplit(uri)
    except ValueError:
        return f"{uri.partition('://')[0]}://..."
    user, _, host = parts.netloc.rpartition("@")
    if user and ":" not in user and parts.scheme in _CONTAINER_BEFORE_HOST:
        host = parts.netloc
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
