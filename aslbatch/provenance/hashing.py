"""Hashes that identify texts, files and settings."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

_CHUNK_BYTES = 1 << 20


def source_hash(text: str) -> str:
    """Return the 128-bit BLAKE2b hash (RFC 7693) of a normalized text, in hex.

    Equal texts have equal hashes in every run: the key for joins, deduplication and checks
    against leakage.
    """
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def sha256_bytes(data: bytes) -> str:
    """Return the SHA-256 of some bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a local file, in hex, read in pieces.

    Raises:
        OSError: The file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def sha256_json(value: Mapping[str, object]) -> str:
    """Return the SHA-256 of a JSON-able mapping, in hex; the order of its keys does not matter."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256_bytes(text.encode())
