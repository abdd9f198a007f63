"""Values from the command line laid over a document: `--set a.b=value`."""

import re
from collections.abc import Sequence
from typing import Any

from aslbatch.config.document import Document, YamlSyntaxError, read_document
from aslbatch.config.fault import Fault, Override, dotted

_NAME = re.compile(r"[\w.-]*")
_STEP = re.compile(r'(?:^|\.)(?:"([^"]*)"|([^."]*))')
"""A key of a path; one with dots in it is quoted."""


def apply_overrides(document: Document, options: Sequence[str]) -> None:
    """Lay options such as `decoding.num_beams=2` over a document, later ones over earlier ones.

    Values are read as YAML. A key with dots is quoted, as in `cost.prices."gpt-4.1".input=1`.
    Options that cannot be read or placed add to the document's faults.

    Args:
        document: What to change; its value is a mapping.
        options: Each the text that followed `--set`.
    """
    for option in options:
        name, equals, text = option.partition("=")
        steps = list(_STEP.finditer(name))
        path = tuple(step[1] or step[2] for step in steps)
        if equals and all(path) and "".join(step[0] for step in steps) == name:
            _apply(document, Override(path, text), text)
        else:
            typed = Override((_NAME.findall(option)[0],), None)
            document.faults.append(Fault((), "expected section.key=value", origin=typed))


def _apply(document: Document, override: Override, text: str) -> None:
    path = override.path
    try:
        given = read_document(text)
    except YamlSyntaxError as error:
        given = Document()
        given.faults.append(Fault((), f"not valid YAML: {error.problem}"))
    section = _section(document, override)
    document.origins[path] = override
    if section is None:
        return
    section[path[-1]] = given.value
    for stale in [key for key in document.origins if key[: len(path)] == path and key != path]:
        del document.origins[stale]
    document.faults += [Fault((*path, *fault.path), fault.message) for fault in given.faults]


def _section(document: Document, override: Override) -> dict[str | int, Any] | None:
    """Return the mapping that the override's last key belongs in, made where it is missing."""
    section: dict[str | int, Any] = document.value
    for length, key in enumerate(override.path[:-1], start=1):
        inner = section.get(key)
        if inner is None:
            inner = section[key] = {}
            document.origins[override.path[:length]] = override
        if not isinstance(inner, dict):
            holder = dotted(override.path[:length])
            document.faults.append(Fault(override.path, f"unknown key; {holder} holds no keys"))
            return None
        section = inner
    return section
