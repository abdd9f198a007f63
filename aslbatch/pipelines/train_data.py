"""Pairs of English and gloss as a training reads them, with an account of those left out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aslbatch.config.score import Direction
from aslbatch.config.train import DataSection, TrainingSection, ValidationSection
from aslbatch.errors import ConfigError, SourceError
from aslbatch.models.tokenizer import Tokenizer
from aslbatch.pipelines.pair_rows import PairFiles
from aslbatch.storage.folder import Storage
from aslbatch.text.languages import ENGLISH_CODE, GLOSS_CODE
from aslbatch.training.batches import Batches, Portion
from aslbatch.training.examples import Example, Examples, encode_pairs
from aslbatch.training.validation import Held


@dataclass(frozen=True, slots=True)
class Pairs:
    """Texts side by side.

    Attributes:
        english: English sentences.
        gloss: Their glosses.
        tags: What is put before each input; empty for nothing.
        incomplete: How many rows lack one of the two, and are left out.
    """

    english: list[str]
    gloss: list[str]
    tags: list[str]
    incomplete: int

    def texts(self, direction: Direction) -> tuple[list[str], list[str]]:
        """Return inputs, with their tags, and translations of a direction."""
        into_gloss = direction == "into_gloss"
        inputs, outputs = (self.english, self.gloss) if into_gloss else (self.gloss, self.english)
        tagged = zip(self.tags, inputs, strict=True)
        return [f"{tag} {text}" if tag else text for tag, text in tagged], outputs

    def spread(self, rows: int) -> "Pairs":
        """Return at most so many pairs, spread evenly over all."""
        count = len(self.english)
        if count <= rows:
            return self
        chosen = [index * count // rows for index in range(rows)]
        return Pairs(
            [self.english[index] for index in chosen],
            [self.gloss[index] for index in chosen],
            [self.tags[index] for index in chosen],
            self.incomplete,
        )


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the pairs of one entry of `data`.

    Attributes:
        paths: Where they were read.
        pairs: Pairs that were read.
        incomplete: Rows that lack English or gloss.
        too_long: Pairs of one direction that have too many tokens.
        examples: Examples that are trained on.
        times: How often each is seen in an epoch.
        tagged: Pairs with a tag before their inputs.
        license: Of the pairs, as the configuration says.
    """

    paths: list[str]
    pairs: int
    incomplete: int
    too_long: int
    examples: int
    times: float
    tagged: int
    license: str | None


def scan(name: str, section: DataSection | ValidationSection, sink: Storage) -> PairFiles:
    """Find the files of a section, which must not lie in the output, and look at all of them.

    Raises:
        SourceError: There are none, one cannot be read, or it lacks a column.
    """
    return PairFiles.scan(
        name,
        section.paths,
        sink,
        english=section.english,
        gloss=section.gloss,
        others=(*filter(None, [_tag_of(section)]), *section.where),
        storage_options=section.storage_options,
    )


def read_pairs(section: DataSection | ValidationSection, files: PairFiles) -> Pairs:
    """Read all pairs of a section into memory.

    Raises:
        SourceError: A row cannot be read, or none has both texts.
    """
    pairs, rows, tag = Pairs([], [], [], 0), 0, _tag_of(section)
    for row in files.rows():
        if any(row[name] != value for name, value in section.where.items()):
            continue
        rows += 1
        english, gloss = (_text(row[name]) for name in (section.english, section.gloss))
        if english and gloss:
            pairs.english.append(english)
            pairs.gloss.append(gloss)
            pairs.tags.append(_text(row[tag]) if tag else "")
    if not rows:
        raise SourceError(
            f"{files.section}.where: no row of {files.sources[0].uri} has {section.where}"
        )
    if not pairs.english:
        raise SourceError(
            f"{files.section}.paths: no row has text in both {section.english!r} and "
            f"{section.gloss!r}; is the gloss still to be made?"
        )
    return replace(pairs, incomplete=rows - len(pairs.english))


def training_examples(
    sections: Sequence[DataSection], read: Sequence[Pairs], tokenizer: Tokenizer, max_length: int
) -> tuple[Examples, list[Portion], list[Account]]:
    """Return the examples of all sections, how often each is seen, and the account of each."""
    found: list[Example] = []
    portions, accounts = [], []
    for section, pairs in zip(sections, read, strict=True):
        before = len(found)
        for direction in section.directions:
            sources, targets = pairs.texts(direction)
            source_lang, target_lang = languages(direction)
            found += encode_pairs(
                tokenizer,
                sources,
                targets,
                source_lang=source_lang,
                target_lang=target_lang,
                max_length=max_length,
            )
        examples = len(found) - before
        all_of_them = len(pairs.english) * len(section.directions)
        portions.append(Portion(before, examples, section.times))
        accounts.append(
            Account(
                list(section.paths),
                len(pairs.english),
                pairs.incomplete,
                all_of_them - examples,
                examples,
                section.times,
                sum(map(bool, pairs.tags)),
                section.license,
            )
        )
    return Examples(found), portions, accounts


def batches_of(
    training: TrainingSection, examples: Examples, portions: Sequence[Portion]
) -> Batches:
    """Return the batches of a training.

    Raises:
        ConfigError: An example is larger than a batch may be, or there are none.
    """
    longest = int(examples.lengths.sum(axis=1).max(initial=0))
    if longest > training.batch_tokens:
        raise ConfigError(
            f"training.batch_tokens: is {training.batch_tokens}, and the longest pair has "
            f"{longest} tokens, both sides together; raise it, or lower training.max_length "
            f"({training.max_length}), which leaves longer pairs out"
        )
    try:
        return Batches(
            examples.lengths,
            portions,
            max_tokens=training.batch_tokens,
            max_examples=training.batch_examples,
            seed=training.seed,
        )
    except ValueError as error:
        raise ConfigError(
            f"data: {error}: {len(examples)} examples have at most training.max_length "
            f"({training.max_length}) tokens a side; raise that, or data[0].times where it is "
            f"below 1"
        ) from error


def held_out(section: ValidationSection, files: PairFiles) -> list[Held]:
    """Return what a model in training is measured on, a part for each direction."""
    pairs = read_pairs(section, files).spread(section.rows)
    return [
        Held(*languages(direction), *pairs.texts(direction)) for direction in section.directions
    ]


def languages(direction: Direction) -> tuple[str, str]:
    """Return the codes of a direction's source and target."""
    return (ENGLISH_CODE, GLOSS_CODE) if direction == "into_gloss" else (GLOSS_CODE, ENGLISH_CODE)


def _tag_of(section: DataSection | ValidationSection) -> str | None:
    return section.tag if isinstance(section, DataSection) else None


def _text(value: str | None) -> str:
    return " ".join((value or "").split())
