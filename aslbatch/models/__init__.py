"""Checkpoints, tokenizers and engines; nothing here knows Ray."""
