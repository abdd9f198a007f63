"""Errors travel between processes and carry their exit code."""

import pickle

import pytest

from aslbatch import errors


def tree(kind):
    yield kind
    for child in kind.__subclasses__():
        yield from tree(child)


@pytest.mark.parametrize("kind", list(tree(errors.AslbatchError)))
def test_every_error_survives_pickling(kind):
    error = pickle.loads(pickle.dumps(kind("part-0007.parquet row 1841: no text")))
    assert type(error) is kind
    assert error.message == "part-0007.parquet row 1841: no text"
    assert error.exit_code == kind.exit_code


def test_a_config_error_keeps_all_faults():
    error = pickle.loads(pickle.dumps(errors.ConfigError(["a.yaml:1: x", "a.yaml:2: y"])))
    assert error.faults == ("a.yaml:1: x", "a.yaml:2: y")
    assert str(error) == "a.yaml:1: x\na.yaml:2: y"


def test_exit_codes_are_those_of_the_contract():
    codes = {kind.__name__: kind.exit_code for kind in tree(errors.AslbatchError)}
    assert codes["ConfigError"] == 2
    assert codes["TooManyFailedRowsError"] == 3
    assert codes["OutputMismatchError"] == 4
    assert codes["SourceError"] == codes["ModelError"] == codes["SinkError"] == 1
