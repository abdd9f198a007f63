"""A small share of what `bench/fuzz.py` does."""

import pytest
from fuzzing import PARSERS, fuzz


@pytest.mark.parametrize("name", PARSERS)
def test_no_file_breaks_a_parser(name, tmp_path):
    tally = fuzz(name, inputs=150, seed=1, folder=tmp_path)
    assert tally.failures == {}
    assert tally.rows > tally.inputs  # or it was refused so often that nothing was tried
    assert tally.refused < tally.inputs
