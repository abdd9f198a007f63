"""Names of what lies in an output folder."""

import re

DATA = "data"
REJECTED = "rejected"
COMMITS = "_commits"
ATTEMPTS = "_attempts"
PLAN = "_plan/plan.parquet"
RUN = "_plan/run.json"
CLAIM = "_plan/claim.json"
TEACHER = "_teacher"
"""What a teacher was asked and what it answered."""
TEACHER_NOTE = "teacher.json"
"""Who the teacher was, what it was told, and what came of it."""
MANIFEST = "_manifest.json"
TRACKS = "tracks"
CARD = "README.md"
SUCCESS = "_SUCCESS"

TRAINING = "training.json"
"""The record of a finished training, written last."""
TRAINING_START = "start"
TRAINING_STATES = "states"
TRAINING_CURVES = "tensorboard"
TRAINING_RAY = "_ray"
"""What Ray Train keeps while it runs: all nodes must see it."""
TRAINED = {"lora": "adapter", "full": "model"}
"""Where its result lies, by what was trained."""

FOLDERS = ("", DATA, REJECTED, COMMITS, "_plan")
"""Where files are published for good."""

OWNED = (
    SUCCESS,
    MANIFEST,
    CARD,
    TEACHER_NOTE,
    COMMITS,
    ATTEMPTS,
    DATA,
    REJECTED,
    TRACKS,
    TEACHER,
    "_plan",
)
"""Everything that a run makes, in the order in which it is deleted."""

OWNED_BY_TRAINING = (
    TRAINING,
    *TRAINED.values(),
    TRAINING_START,
    TRAINING_STATES,
    TRAINING_CURVES,
    TRAINING_RAY,
    "_plan",
)
"""Everything that a training makes, in the order in which it is deleted."""


def data_file(shard: str, generation: int, suffix: str) -> str:
    """Return the name of the file with a shard's translated rows.

    A shard that is replaced gets files of another name: until its new commit record is there, the
    old record and the files that it names are whole.
    """
    return f"{DATA}/{shard}{_generation(generation)}{suffix}"


def rejected_file(shard: str, generation: int, suffix: str) -> str:
    """Return the name of the file with a shard's rejected rows."""
    return f"{REJECTED}/{shard}{_generation(generation)}{suffix}"


def merged_file(folder: str, index: int, sha256: str, suffix: str) -> str:
    """Return the name of a file with the rows of several shards.

    Args:
        folder: `DATA` or `REJECTED`.
        index: Index of the first of the shards.
        sha256: Of the file's content: a file of this name is never written over by another one.
        suffix: Ending of the name.
    """
    return f"{folder}/merged-{index:06d}-{sha256[:16]}{suffix}"


def commit_file(shard: str) -> str:
    """Return the name of a shard's commit record."""
    return f"{COMMITS}/{shard}.json"


def shard_of_file(name: str) -> str:
    """Return the shard that a data or rejected file belongs to, from its name without folder."""
    return name.partition(".")[0]


def is_merged(name: str) -> bool:
    """Return whether a file holds the rows of several shards, from its name without folder."""
    return re.match(r"merged-\d{6,}-[0-9a-f]{16}\.", name) is not None


def _generation(generation: int) -> str:
    return f".g{generation}" if generation else ""
