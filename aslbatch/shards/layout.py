"""Names of what lies in an output folder."""

DATA = "data"
REJECTED = "rejected"
COMMITS = "_commits"
ATTEMPTS = "_attempts"
PLAN = "_plan/plan.parquet"
RUN = "_plan/run.json"
RETRY = "_plan/retry.json"
MANIFEST = "_manifest.json"
TRACKS = "tracks"
CARD = "README.md"
SUCCESS = "_SUCCESS"

FOLDERS = ("", DATA, REJECTED, COMMITS, "_plan")
"""Where files are published for good."""

OWNED = (SUCCESS, MANIFEST, CARD, COMMITS, ATTEMPTS, DATA, REJECTED, TRACKS, "_plan")
"""Everything that a run makes, in the order in which it is deleted."""


def data_file(shard: str, generation: int) -> str:
    """Return the name of the file with a shard's translated rows.

    A shard that is replaced gets files of another name: until its new commit record is there, the
    old record and the files that it names are whole.
    """
    return f"{DATA}/{shard}{_suffix(generation)}.parquet"


def rejected_file(shard: str, generation: int) -> str:
    """Return the name of the file with a shard's rejected rows."""
    return f"{REJECTED}/{shard}{_suffix(generation)}.parquet"


def commit_file(shard: str) -> str:
    """Return the name of a shard's commit record."""
    return f"{COMMITS}/{shard}.json"


def shard_of_file(name: str) -> str:
    """Return the shard that a data or rejected file belongs to, from its name without folder."""
    return name.partition(".")[0]


def _suffix(generation: int) -> str:
    return f".g{generation}" if generation else ""
