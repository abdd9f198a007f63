"""The columns of an output row, and the reasons for which a row is rejected."""

from enum import StrEnum

import pyarrow as pa

TAG = pa.dictionary(pa.int32(), pa.string())
"""Type of columns that hold few distinct strings."""

SOURCE_URI = pa.field("source_uri", TAG, nullable=False)
SOURCE_ROW = pa.field("source_row", pa.int64(), nullable=False)
REJECT_REASON = pa.field("reject_reason", TAG, nullable=False)
REJECT_DETAIL = pa.field("reject_detail", pa.string(), nullable=False)

TEXT = "_text"
"""Working column between the stages: the text to translate, null in rejected rows."""
REASON = "_reject_reason"
"""Working column: a `RejectReason`, null in rows that are not rejected."""
DETAIL = "_reject_detail"
"""Working column: what exactly was found, null in rows that are not rejected."""
AUDIT = "_audit"
"""Working column: whether the whole vocabulary agrees with the shortlist, null where not asked."""

ALTERNATIVES = pa.field(
    "alternatives",
    pa.list_(pa.struct([("text", pa.string()), ("score", pa.float32())])),
    nullable=False,
)

_OF_ANY_MODEL = (
    pa.field("flags", pa.list_(pa.string()), nullable=False),
    pa.field("source_lang", TAG, nullable=False),
    pa.field("target_lang", TAG, nullable=False),
    SOURCE_URI,
    SOURCE_ROW,
    pa.field("source_hash", pa.string(), nullable=False),
    pa.field("model", TAG, nullable=False),
)


def translation_fields(*, alternatives: bool) -> list[pa.Field]:
    """Return the fields that follow the source's own columns in a translated row.

    Args:
        alternatives: Whether the further hypotheses of a row are kept, which is so when
            `decoding.num_return_sequences` is above 1.
    """
    return [
        pa.field("source_text", pa.string(), nullable=False),
        pa.field("translation", pa.string(), nullable=False),
        pa.field("score", pa.float32(), nullable=False),
        *([ALTERNATIVES] if alternatives else []),
        pa.field("source_tokens", pa.int32(), nullable=False),
        pa.field("target_tokens", pa.int32(), nullable=False),
        pa.field("truncated", pa.bool_(), nullable=False),
        *_OF_ANY_MODEL,
        pa.field("model_revision", TAG, nullable=False),
        pa.field("model_sha256", TAG, nullable=False),
        pa.field("engine", TAG, nullable=False),
        pa.field("decoding", TAG, nullable=False),
        pa.field("origin", TAG, nullable=False),
        pa.field("run_id", TAG, nullable=False),
    ]


def label_fields() -> list[pa.Field]:
    """Return the fields that follow the source's own columns in a row that a teacher glossed.

    Rows with equal text share an answer: its tokens were counted, and paid for, once.
    """
    return [
        pa.field("source_text", pa.string(), nullable=False),
        pa.field("translation", pa.string(), nullable=False),
        *_OF_ANY_MODEL,
        pa.field("model_answered", TAG, nullable=False),
        pa.field("engine", TAG, nullable=False),
        pa.field("prompt_sha256", TAG, nullable=False),
        pa.field("examples", pa.list_(pa.string()), nullable=False),
        pa.field("job", TAG, nullable=False),
        pa.field("answered_on", TAG, nullable=False),
        pa.field("attempts", pa.int32(), nullable=False),
        pa.field("input_tokens", pa.int64(), nullable=False),
        pa.field("output_tokens", pa.int64(), nullable=False),
        pa.field("origin", TAG, nullable=False),
        pa.field("run_id", TAG, nullable=False),
    ]


def rejection_fields() -> list[pa.Field]:
    """Return the fields that follow the source's own columns in a rejected row."""
    return [SOURCE_URI, SOURCE_ROW, REJECT_REASON, REJECT_DETAIL]


def pair_fields() -> list[pa.Field]:
    """Return the fields of a prepared row: English, its gloss, and where both are from.

    `target` and `origin` are null where there is no gloss yet.
    """
    return [
        pa.field("source", pa.string(), nullable=False),
        pa.field("target", pa.string()),
        pa.field("source_lang", TAG, nullable=False),
        pa.field("target_lang", TAG, nullable=False),
        pa.field("origin", TAG),
        pa.field("license", TAG),
        pa.field("dataset", TAG, nullable=False),
        pa.field("split", TAG, nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("document", pa.string()),
        pa.field("signer", TAG),
        pa.field("tag", TAG),
        pa.field("flags", pa.list_(pa.string()), nullable=False),
        pa.field("source_hash", pa.string(), nullable=False),
        SOURCE_URI,
        SOURCE_ROW,
    ]


RESERVED_COLUMNS = frozenset(
    field.name for field in (*translation_fields(alternatives=True), *rejection_fields())
)
"""Names that a source column of a translation must not have."""

RESERVED_BY_LABELS = frozenset(field.name for field in (*label_fields(), *rejection_fields()))
"""Names that a source column must not have where a teacher glosses it."""


class RejectReason(StrEnum):
    """Why a row was not translated, or not glossed by a teacher.

    Rows with nothing to translate are a property of the source; the others are failures, and
    count against `run.max_failed_rows`. Those from `MISSING_ANSWER` on are a teacher's.
    """

    EMPTY = "empty"
    MARKUP_ONLY = "markup_only"
    NO_WORDS = "no_words"
    REPEATED = "repeated"
    TOO_LONG = "too_long"
    INVALID_UTF8 = "invalid_utf8"
    INVALID_ROW = "invalid_row"
    UNREADABLE = "unreadable"
    EMPTY_TRANSLATION = "empty_translation"
    OUT_OF_MEMORY = "out_of_memory"
    WORKER_DIED = "worker_died"
    TIMED_OUT = "timed_out"
    MISSING_ANSWER = "missing_answer"
    REPEATED_ANSWER = "repeated_answer"
    MISPLACED_ANSWER = "misplaced_answer"
    REFUSED = "refused"
    CUT_OFF = "cut_off"
    INVALID_JSON = "invalid_json"
    INVALID_GLOSS = "invalid_gloss"
    LOOPING = "looping"
    WRONG_LANGUAGE = "wrong_language"
    SERVICE_ERROR = "service_error"

    @property
    def is_failure(self) -> bool:
        """Whether a row rejected for this reason counts as failed."""
        return self not in NOTHING_TO_TRANSLATE


NOTHING_TO_TRANSLATE = frozenset(
    {
        RejectReason.EMPTY,
        RejectReason.MARKUP_ONLY,
        RejectReason.NO_WORDS,
        RejectReason.REPEATED,
    }
)
