"""What a teacher is told, and the authentic glosses it is measured on, read from their files."""

from collections.abc import Collection
from dataclasses import dataclass

from aslbatch.config.pseudogloss import GoldSection, PromptSection
from aslbatch.errors import SinkError, SourceError
from aslbatch.labeling.prompt import INSTRUCTIONS, Example, Prompt
from aslbatch.pipelines.pair_rows import PairFiles
from aslbatch.provenance.hashing import source_hash
from aslbatch.storage.folder import Storage
from aslbatch.text.normalize import NormalizeRules, examine, normalize


@dataclass(frozen=True, slots=True)
class Gold:
    """A sentence with authentic gloss.

    Attributes:
        id: Names it.
        text: The English, normalized as the texts of the run.
        gloss: The authentic gloss.
    """

    id: str
    text: str
    gloss: str

    @property
    def source_hash(self) -> str:
        """Hash of the text."""
        return source_hash(self.text)


def read_prompt(section: PromptSection, sink: Storage, rules: NormalizeRules) -> Prompt:
    """Return what a teacher is told.

    Raises:
        SourceError: A file cannot be read, an example lacks a text, or two have the same id.
    """
    instructions = INSTRUCTIONS
    if section.instructions is not None:
        instructions = _read_text(section)
    return Prompt(
        instructions=instructions,
        examples=_read_examples(section, sink, rules) if section.examples is not None else (),
        selection=section.selection,
        count=section.count if section.examples is not None else 0,
        seed=section.seed,
    )


def read_gold(
    section: GoldSection, sink: Storage, rules: NormalizeRules, shown: Collection[str]
) -> list[Gold]:
    """Return sentences with authentic gloss, spread over the set.

    Args:
        section: Where they are.
        sink: The output folder, in which they must not lie.
        rules: How the texts of the run are cleaned.
        shown: Ids of examples that the teacher sees, which are left out.

    Raises:
        SourceError: A file cannot be read, or nothing is left.
    """
    files = _scan("gold", section.paths, section, sink)
    found: list[Gold] = []
    for row in files.rows():
        english, gloss = row[section.english] or "", (row[section.gloss] or "").strip()
        text = normalize(english, rules)
        name = str(row[section.id])
        if gloss and name not in shown and examine(english, text, rules) is None:
            found.append(Gold(name, text, gloss))
    if not found:
        raise SourceError(
            f"gold.paths: no row of {files.sources[0].uri} has both texts and is no example"
        )
    count = min(section.rows, len(found))
    return [found[index * len(found) // count] for index in range(count)]


def _scan(
    name: str, paths: list[str], section: PromptSection | GoldSection, sink: Storage
) -> PairFiles:
    """Find the files of a section, and look at all of them."""
    return PairFiles.scan(
        name,
        paths,
        sink,
        format=section.format,
        english=section.english,
        gloss=section.gloss,
        others=(section.id,),
        storage_options=section.storage_options,
    )


def _read_text(section: PromptSection) -> str:
    folder, slash, name = (section.instructions or "").rpartition("/")
    storage = Storage(folder or slash or ".", section.storage_options)
    try:
        text = storage.read(name).decode()
    except FileNotFoundError as error:
        raise SourceError(f"prompt.instructions: {section.instructions} does not exist") from error
    except SinkError as error:
        raise SourceError(f"prompt.instructions: {error.message}") from error
    except UnicodeDecodeError as error:
        raise SourceError(f"prompt.instructions: {section.instructions} is not UTF-8") from error
    if not text.strip():
        raise SourceError(f"prompt.instructions: {section.instructions} is empty")
    return text.strip()


def _read_examples(
    section: PromptSection, sink: Storage, rules: NormalizeRules
) -> tuple[Example, ...]:
    try:
        files = _scan("prompt", [section.examples or ""], section, sink)
    except SourceError as error:  # here the files have another key than elsewhere
        raise SourceError(error.message.replace("prompt.paths", "prompt.examples")) from error
    examples: dict[str, Example] = {}
    for row in files.rows():
        where = f"{row['source_uri']} row {row['source_row']}"
        name, english, gloss = (row[key] for key in (section.id, section.english, section.gloss))
        if name is None or not (english or "").strip() or not (gloss or "").strip():
            raise SourceError(f"{where}: an example needs an id, English and gloss; mend the row")
        if str(name) in examples:
            raise SourceError(f"{where}: there is an example {name!r} before it; ids must differ")
        examples[str(name)] = Example(str(name), normalize(english, rules), gloss.strip())
    if len(examples) < section.count:
        raise SourceError(
            f"prompt.examples: {files.sources[0].uri} has {len(examples)} examples, prompt.count "
            f"is {section.count}; lower it"
        )
    return tuple(examples.values())
