"""One Ray cluster for the whole tier."""

import pytest

from aslbatch.cluster.session import Cluster


@pytest.fixture(scope="session")
def cluster():
    """A running cluster that every job of the tier joins, and that is shut down at the end."""
    with Cluster() as running:
        running.start()
        yield running
