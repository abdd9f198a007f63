"""One thing that is wrong with a configuration, and where it stands."""

from collections.abc import Mapping
from dataclasses import dataclass

KeyPath = tuple[str | int, ...]
"""Keys and list positions that lead to a value, such as `("source", "paths", 0)`."""


@dataclass(frozen=True)
class Override:
    """A value given on the command line as `--set path=text`, or a `--set` without one."""

    path: KeyPath
    text: str | None

    def describe(self, *, with_value: bool) -> str:
        """Return the option as typed, its value replaced by `...` where it must not be shown."""
        if self.text is None:
            return f"--set {dotted(self.path)}"
        return f"--set {dotted(self.path)}={self.text if with_value else '...'}"


Origin = int | Override
"""What a value was read from: a line of the file, counted from 1, or an override."""


@dataclass(frozen=True)
class Fault:
    """Something wrong at a path.

    Attributes:
        path: Where it is; empty for the document as a whole.
        message: What is wrong, in plain words.
        shows_value: Whether the message quotes the value found, which is never so for secrets.
        origin: What it was read from, where that is not what the path leads to.
    """

    path: KeyPath
    message: str
    shows_value: bool = False
    origin: Origin | None = None

    def find_origin(self, origins: Mapping[KeyPath, Origin]) -> Origin:
        """Return what the faulty value, or the nearest section around it, was read from."""
        if self.origin is not None:
            return self.origin
        lengths = range(len(self.path), 0, -1)
        return next((origins[key] for n in lengths if (key := self.path[:n]) in origins), 1)


def dotted(path: KeyPath) -> str:
    """Return a path as users write it: `source.paths[0]`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")


def render(faults: list[Fault], origins: Mapping[KeyPath, Origin], file: str) -> list[str]:
    """Return one line of text a fault: the file's by line number, then those of overrides."""

    def order(fault: Fault) -> tuple[bool, int]:
        origin = fault.find_origin(origins)
        return (False, origin) if isinstance(origin, int) else (True, 0)

    return [_render(fault, fault.find_origin(origins), file) for fault in sorted(faults, key=order)]


def _render(fault: Fault, origin: Origin, file: str) -> str:
    named = f"{dotted(fault.path)}: {fault.message}" if fault.path else fault.message
    if isinstance(origin, int):
        return f"{file}:{origin}: {named}"
    if fault.path == origin.path:
        return f"{origin.describe(with_value=fault.shows_value)}: {fault.message}"
    return f"{origin.describe(with_value=False)}: {named}"
