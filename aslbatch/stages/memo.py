"""What a worker remembers of earlier shards: short lines, which subtitles repeat all the time."""

from typing import Generic, TypeVar

Value = TypeVar("Value")

MOST_CHARACTERS = 64
MOST_ENTRIES = 1 << 16


class Memo(Generic[Value]):
    """A bounded memory for short texts that keeps what was used lately.

    It is for one model, one pair of languages and one way of decoding, and for engines whose
    results do not depend on the rest of a batch: else what is remembered would change the output.

    There are two generations: what is used moves into the young one; when that is full it becomes
    the old one, and what the old one held is forgotten.
    """

    def __init__(
        self, *, most_entries: int = MOST_ENTRIES, most_characters: int = MOST_CHARACTERS
    ) -> None:
        """Make an empty memory.

        Args:
            most_entries: Texts that are remembered, about 1 KiB each.
            most_characters: Longer texts are not remembered: they hardly ever come again.
        """
        self._size = max(most_entries // 2, 1)
        self._most_characters = most_characters
        self._young: dict[str, Value] = {}
        self._old: dict[str, Value] = {}
        self.hits = 0

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, text: str) -> Value | None:
        """Return what is remembered of a text, None where nothing is."""
        value = self._young.get(text)
        if value is None:
            value = self._old.pop(text, None)
            if value is not None:
                self.put(text, value)
        self.hits += value is not None
        return value

    def put(self, text: str, value: Value) -> None:
        """Remember a text if it is short."""
        if len(text) > self._most_characters:
            return
        if len(self._young) >= self._size:
            self._old, self._young = self._young, {}
        self._young[text] = value
