"""Data sets of English and gloss: reading each kind, cleaning, duplicates, leakage."""
