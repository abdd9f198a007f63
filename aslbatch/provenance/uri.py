"""URIs that may be written down: without credentials."""

from urllib.parse import urlsplit, urlunsplit


def without_credentials(uri: str) -> str:
    """Return a URI without user, password, query and fragment; a plain path stays as it is."""
    if "://" not in uri:
        return uri
    parts = urlsplit(uri)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
