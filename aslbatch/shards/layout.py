"""Names of what lies in an output folder."""

DATA = "data"
REJECTED = "rejected"
COMMITS = "_commits"
ATTEMPTS = "_attempts"
PLAN = "_plan/plan.parquet"
RUN = "_plan/run.json"
MANIFEST = "_manifest.json"
CARD = "README.md"
SUCCESS = "_SUCCESS"

FOLDERS = ("", DATA, REJECTED, COMMITS, "_plan")
"""Where files are published for good."""

OWNED = (SUCCESS, MANIFEST, CARD, COMMITS, ATTEMPTS, DATA, REJECTED, "_plan")
"""Everything that a run makes, in the order in which it is deleted."""


def data_file(shard: str) -> str:
    """Return the name of the file with a shard's translated rows."""
    return f"{DATA}/{shard}.parquet"


def rejected_file(shard: str) -> str:
    """Return the name of the file with a shard's rejected rows."""
    return f"{REJECTED}/{shard}.parquet"


def commit_file(shard: str) -> str:
    """Return the name of a shard's commit record."""
    return f"{COMMITS}/{shard}.json"
