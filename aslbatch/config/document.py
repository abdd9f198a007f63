"""Reading YAML so that every value is known by its line."""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from aslbatch.config.fault import Fault, KeyPath, Origin

_TAG = "tag:yaml.org,2002:"
_TEXT_TAGS = frozenset({f"{_TAG}str", f"{_TAG}timestamp"})
_SCALAR_TAGS = frozenset({f"{_TAG}{name}" for name in ("int", "float", "bool", "null")})
_COLLECTION_TAGS = frozenset({f"{_TAG}map", f"{_TAG}seq"})
_MERGE_TAG = f"{_TAG}merge"
_ALIAS_NAME = re.compile(r"(?<=undefined alias) '.*'")
"""What PyYAML takes for an alias may be an unquoted secret that begins with an asterisk."""


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which also reads `1e-3` as a number, as YAML 1.2 does."""


_Loader.add_implicit_resolver(
    f"{_TAG}float", re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


class YamlSyntaxError(ValueError):
    """The text is not YAML.

    Attributes:
        line: Where reading stopped, counted from 1.
        column: The same.
        problem: What was expected there.
    """

    def __init__(self, line: int, column: int, problem: str) -> None:
        super().__init__(line, column, problem)
        self.line = line
        self.column = column
        self.problem = problem


@dataclass
class Document:
    """A YAML document as plain values, and what is already known to be wrong with it.

    Attributes:
        value: Mappings, lists and scalars; keys are text, as written. None for an empty document.
        origins: The line of every key and list item, by its path.
        faults: Duplicate keys and values that cannot be read.
    """

    value: Any = None
    origins: dict[KeyPath, Origin] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def read_document(text: str) -> Document:
    """Parse one YAML document.

    Aliases are followed. Environment variables are not expanded.

    Raises:
        YamlSyntaxError: If the text is not YAML, or more than one document.
    """
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
    except yaml.YAMLError as error:
        raise _located(error, text) from error
    document = Document()
    if root is not None:
        document.value = _Reader(loader, document).read(root, (), ())
    return document


class _Reader:
    """Turns YAML nodes into values and notes lines and faults in a document."""

    def __init__(self, loader: _Loader, document: Document) -> None:
        self._loader = loader
        self._document = document

    def read(self, node: yaml.Node, path: KeyPath, around: tuple[yaml.Node, ...]) -> object:
        """Return the value of a node that lies within the nodes `around`."""
        if node in around:
            self._fault(path, "an alias inside of what it stands for")
        elif isinstance(node, yaml.MappingNode) and node.tag in _COLLECTION_TAGS:
            return self._read_mapping(node, path, (*around, node))
        elif isinstance(node, yaml.SequenceNode) and node.tag in _COLLECTION_TAGS:
            return self._read_sequence(node, path, (*around, node))
        elif node.tag in _TEXT_TAGS:
            return node.value
        elif node.tag in _SCALAR_TAGS:
            return self._read_scalar(node, path)
        else:
            self._fault(path, "YAML tags are not supported")
        return None

    def _read_mapping(
        self, node: yaml.MappingNode, path: KeyPath, around: tuple[yaml.Node, ...]
    ) -> dict[str, object]:
        values: dict[str, object] = {}
        for key_node, value_node in node.value:
            line = _line(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self._fault(path, "a key must be plain text", line)
                continue
            key = (*path, key_node.value)
            if key_node.tag == _MERGE_TAG:
                self._fault(path, "merge keys (<<) are not supported", line)
            elif key_node.value in values:
                first = self._document.origins[key]
                self._fault(key, f"duplicate key; it is first set on line {first}", line)
            else:
                self._document.origins[key] = line
                values[key_node.value] = self.read(value_node, key, around)
        return values

    def _read_sequence(
        self, node: yaml.SequenceNode, path: KeyPath, around: tuple[yaml.Node, ...]
    ) -> list[object]:
        values = []
        for position, item in enumerate(node.value):
            self._document.origins[(*path, position)] = _line(item)
            values.append(self.read(item, (*path, position), around))
        return values

    def _read_scalar(self, node: yaml.Node, path: KeyPath) -> object:
        try:
            return self._loader.construct_object(node)
        except (ValueError, yaml.YAMLError):
            self._fault(path, f"cannot be read as {node.tag.removeprefix(_TAG)}")
            return None

    def _fault(self, path: KeyPath, message: str, line: int | None = None) -> None:
        self._document.faults.append(Fault(path, message, origin=line))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _located(error: yaml.YAMLError, text: str) -> YamlSyntaxError:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        problem = _ALIAS_NAME.sub("", problem)
        return YamlSyntaxError(mark.line + 1, mark.column + 1, problem)
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        column = len(before) - before.rfind("\n")
        problem = f"the character U+{ord(text[error.position]):04X} is not allowed"
        return YamlSyntaxError(before.count("\n") + 1, column, problem)
    return YamlSyntaxError(1, 1, str(error))
