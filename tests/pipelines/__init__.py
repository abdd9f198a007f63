"""Tests of whole jobs; a package, for its fixtures to end with it."""
