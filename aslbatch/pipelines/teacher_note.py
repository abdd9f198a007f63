"""What `teacher.json` of an output folder says: the teacher, its prompt, and what came of it."""

import json
from typing import Any

from aslbatch.errors import SinkError
from aslbatch.shards.layout import TEACHER_NOTE
from aslbatch.storage.folder import Storage


def read_note(storage: Storage) -> dict[str, Any]:
    """Return what `teacher.json` of an output folder says.

    Raises:
        SinkError: There is none, or it is damaged.
    """
    try:
        note: dict[str, Any] = json.loads(storage.read(TEACHER_NOTE))
        note["few_shot_ids"], note["prompt"], note["teacher"]
    except FileNotFoundError as error:
        raise SinkError(
            f"{storage.uri}: no {TEACHER_NOTE} there; expected the output of a pseudogloss job"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise SinkError(f"{storage.uri}/{TEACHER_NOTE} is damaged ({error})") from error
    return note


def cost_in_words(cost: dict[str, Any]) -> str:
    """Return what a note says of the cost, such as `1.2000 USD`."""
    more = cost["uncounted_at_most"]
    uncounted = f", and up to {more:,.4f} for what was not counted" if more else ""
    return f"{cost['amount']:,.4f} {cost['currency']}{uncounted}"
