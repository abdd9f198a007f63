"""Tests that kill processes; a package, for its fixtures to end with it."""
