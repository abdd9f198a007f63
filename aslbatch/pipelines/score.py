"""Score a model on an evaluation set: translated by the main pipeline, compared with references.

    read the pairs -> translate them each way -> score -> compare with another system -> publish

Every pair counts: one whose input was rejected is scored as an empty translation. Beside the model
stands a baseline that copies its input, since gloss shares most of its words with English.
"""

import json
from collections.abc import Callable, Mapping
from functools import partial
from operator import eq
from typing import Any

from aslbatch.config.score import Direction, ScoreConfig
from aslbatch.evaluation.copy_baseline import copied, spaced
from aslbatch.evaluation.published import PUBLISHED
from aslbatch.evaluation.scores import Score, corpus_scores
from aslbatch.evaluation.significance import compare
from aslbatch.pipelines.pairs import Pairs, read_pairs
from aslbatch.pipelines.score_card import (
    SCORE_CARD,
    SCORES,
    DirectionScores,
    OtherScores,
    score_card,
)
from aslbatch.pipelines.system import System, read_compared, read_system
from aslbatch.pipelines.translate import translate
from aslbatch.pipelines.watcher import Watcher
from aslbatch.storage.folder import Storage


def score(
    config: ScoreConfig,
    *,
    overwrite: bool = False,
    watcher: Watcher | None = None,
    verbose: bool = False,
) -> list[DirectionScores]:
    """Translate the pairs each way and score them; run again, finished translations are kept.

    Args:
        config: The pairs, the model, and where everything goes.
        overwrite: Delete other runs' translations instead of refusing them.
        watcher: Is told the plan and the progress of each translation.
        verbose: Let Ray print what it prints.

    Raises:
        AslbatchError: See `aslbatch.errors`; a `SourceError`, before anything is translated, where
            the pairs are not what the configuration says, or not those of `compare_with`.
    """
    sink = Storage(config.sink.path, config.sink.storage_options)
    pairs = read_pairs(config.pairs, sink)
    others: dict[Direction, System] = {}
    if config.compare_with:
        other = sink.elsewhere(config.compare_with)
        others = {
            each: read_compared(other, each, pairs, config.pairs) for each in config.directions
        }
    for name in (SCORES, SCORE_CARD):  # they would outlive what they are the scores of
        sink.delete(name)
    found = []
    for direction in config.directions:
        job = config.translation(direction)
        translate(job, overwrite=overwrite, watcher=watcher, verbose=verbose)
        storage = Storage(job.sink.path, job.sink.storage_options)
        system = read_system(storage, pairs, config.pairs)
        found.append(score_direction(config, direction, pairs, system, others.get(direction)))
    values: dict[str, Any] = {each.direction: each.as_dict() for each in found}
    values["pairs"] = config.pairs.model_dump(exclude={"storage_options"})
    sink.publish(SCORES, (json.dumps(values, indent=1) + "\n").encode())
    sink.publish(SCORE_CARD, score_card(found).encode())
    return found


def score_direction(
    config: ScoreConfig,
    direction: Direction,
    pairs: Pairs,
    system: System,
    other: System | None = None,
) -> DirectionScores:
    """Score the translations of one direction.

    Args:
        config: Which set it is, and how often it is resampled.
        direction: Which way was translated.
        pairs: The evaluation set.
        system: The model's translations of it.
        other: Those of another system to compare with, if any.
    """
    gloss = direction == "into_gloss"
    sides = [pair.english for pair in pairs.scored], [pair.gloss for pair in pairs.scored]
    inputs, references = sides if gloss else reversed(sides)
    scores = partial(
        corpus_scores,
        references=[spaced(reference) for reference in references],
        gloss=gloss,
        samples=config.resamples,
    )
    ours = scores([spaced(translation) for translation in system.translations])
    published = PUBLISHED.get(config.pairs.known_set or "")
    return DirectionScores(
        direction=direction,
        sources=pairs.sources,
        rows=len(pairs.scored),
        excluded=pairs.excluded,
        incomplete=pairs.incomplete,
        rejected=system.rejected,
        provenance=system.provenance,
        system=ours,
        copy=scores([copied(text, gloss=gloss) for text in inputs]),
        published=dict(published.scores[direction]) if published else {},
        published_by=published.source if published else None,
        other=_compared(system, ours, other, scores) if other else None,
    )


def _compared(
    system: System,
    ours: Mapping[str, Score],
    other: System,
    scores: Callable[[list[str]], dict[str, Score]],
) -> OtherScores:
    theirs = scores([spaced(translation) for translation in other.translations])
    return OtherScores(
        uri=other.uri,
        same=sum(map(eq, system.translations, other.translations)),
        rejected=other.rejected,
        provenance=other.provenance,
        scores=theirs,
        differences={name: compare(ours[name], theirs[name]) for name in ours},
    )
