"""What is scored, beside what, and how it is shown."""

import json

import pytest
from pydantic import ValidationError

from aslbatch.cli.display import show_scores
from aslbatch.config.credentials import storage_options
from aslbatch.config.score import ScoreConfig
from aslbatch.evaluation.published import PUBLISHED
from aslbatch.pipelines.pairs import Pair, Pairs
from aslbatch.pipelines.score import score_direction
from aslbatch.pipelines.score_card import score_card
from aslbatch.pipelines.system import PROVENANCE, System


def config(*, compare_with=None, **pairs):
    values = {
        "pairs": {"paths": "pairs.jsonl", **pairs},
        "model": {"name": "demo"},
        "resamples": 100,
        "sink": {"path": "out"},
        "compare_with": compare_with,
    }
    return ScoreConfig.model_validate(values)


def system(*translations, uri="out/into_gloss", **provenance):
    values = {"model": ["demo"], "engine": ["an-engine"], **provenance}
    return System(uri, list(translations), {name: values.get(name, []) for name in PROVENANCE})


def pairs(*glosses, english="The dog runs {}."):
    scored = [
        Pair("pairs.jsonl", row, english.format(row), gloss) for row, gloss in enumerate(glosses)
    ]
    return Pairs(["pairs.jsonl"], scored, excluded=4, incomplete=2)


PAIRS = pairs("DOG  RUN\n", "DOG RUN FAST", "DOG RUN #ANNA")
SYSTEM = system("DOG RUN", "DOG RUN", None)
OTHER = system("DOG", None, "DOG", uri="elsewhere/into_gloss", engine=["another-engine"])


def test_every_pair_counts_and_one_without_a_translation_is_wrong():
    found = score_direction(config(), "into_gloss", PAIRS, SYSTEM)
    assert (found.rows, found.incomplete, found.rejected, found.excluded) == (3, 2, 1, 4)
    assert found.system["exact match"].value == pytest.approx(100 / 3)
    assert found.system["token-F1"].value == pytest.approx(100 * (1 + 0.8 + 0) / 3)
    assert (found.system["recall FS"].value, found.system["recall FS"].count) == (0, 1)


def test_the_copy_baseline_is_a_fair_one():
    gloss = score_direction(config(), "into_gloss", pairs("THE DOG RUNS 0"), system("x"))
    assert gloss.copy["exact match"].value == 100
    same = pairs("DOG RUN", english="dog run")
    assert score_direction(config(), "into_english", same, system("x")).copy["chrF"].value == 100


def test_another_system_is_scored_on_the_same_rows():
    found = score_direction(config(), "into_gloss", PAIRS, SYSTEM, OTHER)
    assert (found.other.uri, found.other.rejected) == ("elsewhere/into_gloss", 1)
    assert found.other.scores["exact match"].value == 0
    assert found.other.differences["exact match"].value == pytest.approx(100 / 3)
    assert set(found.other.differences) == set(found.system)
    assert found.what_differs() == [
        "engine: an-engine, other: another-engine",
        "same translation: 0 of 3 rows",
    ]


def test_published_scores_stand_beside_a_known_set():
    found = score_direction(config(known_set="flores_asl_dev"), "into_gloss", PAIRS, SYSTEM)
    assert found.published["chrF"] == 28.02
    head, first, *_ = found.table()
    assert (head[-1], first[0], first[-1]) == ("published", "chrF", "28.02")
    assert "reported by the model card of manohonsy/asl-mbart-50-lora" in score_card([found])
    assert score_direction(config(), "into_gloss", PAIRS, SYSTEM).table()[0][-1] != "published"


@pytest.mark.parametrize("direction", ["into_gloss", "into_english"])
@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_score_is_one_that_is_computed(name, direction):
    assert config(known_set=name).pairs.rows_to_score == PUBLISHED[name].rows
    found = score_direction(config(known_set=name), direction, PAIRS, SYSTEM)
    assert found.published
    assert set(found.published) <= set(found.system)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"exclude_ids": ["1"]}, r"needs pairs\.id"),
        ({"exclude_ids": [True], "id": "id"}, "exclude_ids"),
        ({"exclude_ids": [None], "id": "id"}, "exclude_ids"),
        ({"english": "gloss"}, r"is the column of pairs\.english too"),
        ({"gloss": "translation.ase"}, "reaches into a struct"),
        ({"paths": []}, "paths"),
        ({"known_set": "another"}, "known_set"),
        ({"known_set": "flores_asl_dev", "expected_rows": 999}, "has 979 rows, but .* is 999"),
        ({"compare_with": "out/"}, r"is sink\.path too"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_work_starts(values, message):
    with pytest.raises(ValidationError, match=message):
        config(**values)


def test_the_card_has_every_score_with_its_interval_baseline_and_signature():
    found = score_direction(config(), "into_gloss", PAIRS, SYSTEM)
    card = score_card([found])
    assert "### English to gloss" in card
    assert "3 rows of `pairs.jsonl`; 4 left out by id, 2 that lack English or gloss; 1 " in card
    assert "| recall FS of 1 | 0.0 |" in card
    assert "* engine: `an-engine`" in card
    assert "* chrF: `nrefs:1|" in card
    for score in found.system.values():
        assert f"| {score.value:.1f} | {score.low:.1f} to {score.high:.1f} |" in card
        assert f"`{score.signature}`" in card
    assert "Against" not in card


def test_the_card_has_every_difference():
    found = score_direction(config(), "into_gloss", PAIRS, SYSTEM, OTHER)
    card = score_card([found])
    assert "#### English to gloss, against `elsewhere/into_gloss`" in card
    for name, each in found.other.differences.items():
        ours, theirs = found.system[name].value, found.other.scores[name].value
        scores = f" | {ours:.2f} | {theirs:.2f} | "
        rows = [line for line in card.splitlines() if f"| {name}" in line and scores in line]
        assert rows[-1].endswith(f"| {each.p:.3f} |")
    assert "| recall FS of 1 | 0.00 | 0.00 | 0.00 | 0.00 to 0.00 | 1.000 |" in card


def test_the_numbers_are_written_without_the_samples():
    found = score_direction(config(), "into_gloss", PAIRS, SYSTEM, OTHER)
    written = json.loads(json.dumps(found.as_dict()))
    assert set(written["system"]["chrF"]) == {"value", "low", "high", "signature", "count"}
    difference = written["other"]["differences"]["chrF"]
    assert set(difference) == {"value", "low", "high", "p", "p_sacrebleu"}


def test_the_terminal_shows_every_score(capsys):
    found = score_direction(config(), "into_gloss", PAIRS, SYSTEM, OTHER)
    show_scores([found], "out/")
    shown = capsys.readouterr().out
    assert all(shown.count(name) >= 2 for name in found.system)
    assert "1 rows could not be translated" in shown
    assert "English to gloss against elsewhere/into_gloss" in shown
    assert "other: another-engine" in shown
    assert "out/scores.json" in shown


def test_commands_on_its_output_take_its_storage_options(tmp_path):
    path = tmp_path / "score.yaml"
    path.write_text(
        "pairs: {paths: a.jsonl, storage_options: {key: p}}\nmodel: {name: demo}\n"
        "sink: {path: out, storage_options: {key: s}}\n"
    )
    secrets = storage_options(str(path))
    assert (secrets.source, secrets.sink) == ({"key": "p"}, {"key": "s"})
