"""Translation units out of TMX as it streams by: https://www.gala-global.org/tmx-14b."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

MOST_UNIT_BYTES = 1 << 24
"""Longer units, and longer stretches of anything else in one piece, are no translations."""

MOST_LANGUAGE_CHARACTERS = 64
_MOST_LEVELS = 100
# Their content is code of the format that the text was taken from. A `sub` in them is text, but
# another one than that of the segment, such as the title of a picture.
_CODE = frozenset({"bpt", "ept", "it", "ph", "ut", "sub"})
_BREAKS = frozenset({"lb", "cb", "pb"})


@dataclass(slots=True)
class Unit:
    """A `<tu>`.

    Attributes:
        start: Where it begins, in bytes of what was parsed.
        tuid: Its name, where it has one.
        texts: The segment of each language, inline codes left out; the first one where a language
            has several.
    """

    start: int
    tuid: str | None
    texts: dict[str, str] = field(default_factory=dict)


class RefusedTmxError(Exception):
    """The XML is well-formed, but not to be read: the message says why."""


class MalformedTmxError(Exception):
    """The XML is not well-formed: the message says why."""


class UnitParser:
    """Parses TMX piece by piece; neither entities nor a DTD are ever looked up.

    Attributes:
        end: Where the body ends, in bytes of what was parsed; None before.
        declared_encoding: What the XML declaration says.
    """

    def __init__(self, encoding: str | None = None) -> None:
        """Begin at the start of a file.

        Args:
            encoding: What to take it for, None to go by its byte order mark and XML declaration.
        """
        self.end: int | None = None
        self.declared_encoding: str | None = None
        self._fed = 0
        self._levels: list[str] = []
        self._units: list[Unit] = []
        self._unit: Unit | None = None
        self._language: str | None = None
        self._segment: list[str] | None = None
        self._code_levels = 0
        self._parser = expat.ParserCreate(encoding)
        self._parser.buffer_text = True
        self._parser.XmlDeclHandler = self._declaration
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.SkippedEntityHandler = self._entity
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._close
        self._parser.CharacterDataHandler = self._text

    @property
    def position(self) -> str:
        """Where the parser is, in words."""
        return f"line {self._parser.CurrentLineNumber}, column {self._parser.CurrentColumnNumber}"

    def parse(self, pieces: Iterable[bytes]) -> Iterator[Unit]:
        """Yield the units of a whole file, each when its end was seen.

        Raises:
            RefusedTmxError: It declares entities, nests too deeply, or is not TMX.
            MalformedTmxError: It is not well-formed.
        """
        for piece in pieces:
            yield from self.feed(piece)
        yield from self.feed(b"", last=True)
        if self.end is None:
            raise RefusedTmxError("there is no <body> in a <tmx>; is it a TMX file?")

    def feed(self, piece: bytes, *, last: bool = False) -> list[Unit]:
        """Return the units that end in the next piece of a file; raises as `parse`."""
        try:
            self._parser.Parse(piece, last)
        except expat.ExpatError as error:
            raise MalformedTmxError(expat.ErrorString(error.code)) from error
        except (LookupError, ValueError) as error:
            # The encoding is none that Python knows, or takes more than a byte a character.
            raise MalformedTmxError(f"its encoding: {error}") from error
        self._fed += len(piece)
        if not last:
            self._check_size(self._fed)
        units, self._units = self._units, []
        return units

    def _check_size(self, position: int) -> None:
        start = self._unit.start if self._unit else max(self._parser.CurrentByteIndex, 0)
        if position - start > MOST_UNIT_BYTES:
            what = "a <tu>" if self._unit else "a tag or a comment"
            raise RefusedTmxError(f"{what} of more than {MOST_UNIT_BYTES >> 20} MiB")

    def _declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        self.declared_encoding = encoding

    def _doctype(
        self, _name: str, _system: str | None, _public: str | None, has_subset: bool
    ) -> None:
        if has_subset:
            raise RefusedTmxError(
                "declarations in the DOCTYPE, which may define entities; remove what is between "
                "[ and ], and write the characters in place of entities"
            )

    def _entity(self, name: str, _is_parameter: bool) -> None:
        raise RefusedTmxError(f"the entity &{name}; is not defined; write the character instead")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._levels.append(name)
        if len(self._levels) > _MOST_LEVELS:
            raise RefusedTmxError(f"elements nested deeper than {_MOST_LEVELS} levels")
        match self._levels:
            case ["tmx", "body"] if self.end is not None:
                raise RefusedTmxError("a second <body>")
            case ["tmx", "body", "tu"]:
                self._unit = Unit(self._parser.CurrentByteIndex, attributes.get("tuid"))
            case ["tmx", "body", "tu", "tuv"]:
                self._language = _language(attributes)
            case ["tmx", "body", "tu", "tuv", "seg"]:
                self._segment = []
            case ["tmx", "body", "tu", "tuv", "seg", *_] if name in _CODE:
                self._code_levels += 1
                if attributes.get("type") in _BREAKS and self._code_levels == 1:
                    self._append("\n")

    def _close(self, name: str) -> None:
        match self._levels:
            case ["tmx", "body"]:
                self.end = self._parser.CurrentByteIndex
            case ["tmx", "body", "tu"] if self._unit:
                self._check_size(self._parser.CurrentByteIndex)
                self._units.append(self._unit)
                self._unit = None
            case ["tmx", "body", "tu", "tuv", "seg"] if self._unit and self._segment is not None:
                if self._language:
                    self._unit.texts.setdefault(self._language, "".join(self._segment))
                self._segment = None
            case ["tmx", "body", "tu", "tuv", "seg", *_] if name in _CODE:
                self._code_levels -= 1
        self._levels.pop()

    def _text(self, text: str) -> None:
        if not self._code_levels:
            self._append(text)

    def _append(self, text: str) -> None:
        if self._segment is not None:
            self._segment.append(text)


def _language(attributes: dict[str, str]) -> str | None:
    """Return the language of a `<tuv>`; before TMX 1.4 it was in `lang`."""
    language = attributes.get("xml:lang") or attributes.get("lang") or None
    if language and len(language) > MOST_LANGUAGE_CHARACTERS:
        raise RefusedTmxError(f"xml:lang={language[:MOST_LANGUAGE_CHARACTERS]!r}... is no language")
    return language
