"""Translate English corpora into ASL gloss, and gloss into English, in bulk on Ray."""

__version__ = "0.1.0"
