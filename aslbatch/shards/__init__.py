"""The corpus in pieces: sources, plan, reading, commits."""
