"""Text and languages: pure functions of strings."""
