"""Beam search that keeps an accelerator full: sentences enter and leave between steps."""
