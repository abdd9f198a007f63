"""What makes a run this run: everything that decides the bytes of its output."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from aslbatch.provenance.hashing import sha256_json

_RUN_ID_DIGITS = 16
_NOT_DECISIVE_SECTIONS = ("run", "quality", "cost", "gold", "compare_with")
_NOT_DECISIVE_KEYS = {
    "source": ("storage_options",),
    "model": ("storage_options", "shortlist"),
    "batching": ("target_ratio",),
    "sink": ("storage_options", "path"),
    # Answers that were cut off are asked for again with more tokens, not all of them.
    "teacher": ("base_url", "api_key_env", "command", "max_output_tokens"),
    # What is in these files is in the hash of the prompt.
    "prompt": ("instructions", "examples", "storage_options"),
}


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """The inputs of a run.

    Attributes:
        config: The resolved configuration without the sections that change no row (`run`,
            `quality`, of a labeling also `cost`, `gold` and `compare_with`), without
            `sink.path` and storage options, which say where and how, but not what, and without
            `model.shortlist`, since `model` has what came of it.
        limit: Most rows read, None for all.
        sources: `uri`, `size` and `version` of each source file.
        model: `name`, `revision` and `sha256` of the checkpoint, and its `shortlist`.
        aslbatch: The version that runs.
    """

    config: dict[str, Any]
    limit: int | None
    sources: list[dict[str, Any]]
    model: dict[str, str]
    aslbatch: str

    @classmethod
    def of(
        cls,
        config: Mapping[str, Mapping[str, Any]],
        *,
        limit: int | None,
        sources: Sequence[Mapping[str, Any]],
        model: Mapping[str, str],
        version: str,
    ) -> "RunIdentity":
        """Return the identity of a run; `config` is the whole resolved configuration."""
        decisive = {
            section: {
                key: value
                for key, value in values.items()
                if key not in _NOT_DECISIVE_KEYS.get(section, ())
            }
            for section, values in config.items()
            if section not in _NOT_DECISIVE_SECTIONS
        }
        return cls(decisive, limit, [dict(source) for source in sources], dict(model), version)

    @property
    def run_id(self) -> str:
        """First 16 hex digits of the SHA-256 over the identity."""
        return sha256_json(self.as_dict())[:_RUN_ID_DIGITS]

    def as_dict(self) -> dict[str, Any]:
        """Return the identity as a JSON-able mapping."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain

    def differences(self, other: Mapping[str, Any]) -> list[str]:
        """Return a line for each value in which another identity differs: `key: theirs -> ours`."""
        return differences(self.as_dict(), other)


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """Return a line for each value in which two records differ: `key: theirs -> ours`."""
    new, old = dict(_flatten(ours)), dict(_flatten(theirs))
    return [
        f"{key}: {json.dumps(old.get(key))} -> {json.dumps(new.get(key))}"
        for key in sorted(new.keys() | old.keys())
        if new.get(key) != old.get(key)
    ]


def _flatten(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flatten(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        for number, item in enumerate(value):
            yield from _flatten(
                {key: part for key, part in item.items() if key != "uri"},
                f"{path}[{item.get('uri', number)}]",
            )
    else:
        yield path, value
