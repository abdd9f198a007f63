"""What is scored, and what stops a score that would not be what it says."""

import pytest
from pydantic import ValidationError

from aslbatch.cli.display import show_scores
from aslbatch.config.credentials import storage_options
from aslbatch.config.score import ScoreConfig
from aslbatch.errors import SourceError
from aslbatch.pipelines.score import score_direction
from aslbatch.pipelines.score_card import score_card


def config(**pairs):
    values = {
        "pairs": {"paths": "pairs.jsonl", **pairs},
        "model": {"name": "demo"},
        "resamples": 100,
        "sink": {"path": "out"},
    }
    return ScoreConfig.model_validate(values)


def row(number, gloss, translation, reason=None):
    return {
        "source_uri": "pairs.jsonl",
        "source_row": number,
        "id": number,
        "english": f"The dog runs {number}.",
        "gloss": gloss,
        "translation": translation,
        "model": "demo",
        "engine": "an-engine",
        "reject_reason": reason,
    }


ROWS = [
    row(1, "DOG  RUN\n", "DOG RUN"),
    row(2, "DOG RUN FAST", "DOG RUN"),
    row(3, "DOG RUN #ANNA", None, "no_words"),
    row(4, "", "DOG"),
    row(5, None, "DOG"),
]


def test_every_pair_counts_and_one_without_a_translation_is_wrong():
    found = score_direction(config(), "into_gloss", ROWS)
    assert (found.rows, found.incomplete, found.rejected, found.excluded) == (3, 2, 1, 0)
    assert found.system["exact match"].value == pytest.approx(100 / 3)
    assert found.system["token-F1"].value == pytest.approx(100 * (1 + 0.8 + 0) / 3)
    assert (found.system["recall FS"].value, found.system["recall FS"].count) == (0, 1)


def test_every_value_of_provenance_is_told():
    other = {**ROWS[1], "engine": "another-engine"}
    found = score_direction(config(), "into_gloss", [ROWS[0], other])
    assert found.provenance["engine"] == ["an-engine", "another-engine"]
    assert found.provenance["run_id"] == []


def test_the_copy_baseline_is_a_fair_one():
    gloss = score_direction(config(), "into_gloss", [row(1, "THE DOG RUNS 1", "x")])
    assert gloss.copy["exact match"].value == 100
    pair = {**row(1, "DOG RUN", "x"), "english": "dog run"}
    assert score_direction(config(), "into_english", [pair]).copy["chrF"].value == 100


def test_excluded_ids_are_left_out_whatever_their_type():
    wanted = config(id="id", exclude_ids=[2, "3"], expected_rows=1)
    found = score_direction(wanted, "into_gloss", ROWS)
    assert (found.rows, found.excluded) == (1, 2)


def test_an_excluded_id_that_is_not_there_is_told():
    with pytest.raises(SourceError, match=r"1 of 2 ids .* such as '77'; expected ids like '1'"):
        score_direction(config(id="id", exclude_ids=["1", "77"]), "into_gloss", ROWS)


def test_a_pair_that_could_not_be_read_is_not_left_out():
    broken = {**row(9, None, None, "invalid_row"), "english": None}
    with pytest.raises(SourceError, match=r"pairs\.jsonl row 9: invalid_row"):
        score_direction(config(), "into_gloss", [*ROWS, broken])


def test_another_number_of_rows_than_expected_is_told():
    with pytest.raises(SourceError, match=r"3 of 5 rows are left .*expected_rows is 979: 0 left"):
        score_direction(config(expected_rows=979), "into_gloss", ROWS)
    with pytest.raises(SourceError, match="any number but 0"):
        score_direction(config(), "into_gloss", ROWS[3:])


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ({"exclude_ids": ["1"]}, r"needs pairs\.id"),
        ({"exclude_ids": [True], "id": "id"}, "exclude_ids"),
        ({"exclude_ids": [None], "id": "id"}, "exclude_ids"),
        ({"english": "gloss"}, r"is the column of pairs\.english too"),
        ({"gloss": "translation.ase"}, "reaches into a struct"),
        ({"paths": []}, "paths"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_work_starts(pairs, message):
    with pytest.raises(ValidationError, match=message):
        config(**pairs)


def test_the_card_has_every_score_with_its_interval_baseline_and_signature():
    found = score_direction(config(), "into_gloss", ROWS)
    card = score_card([found])
    assert "### English to gloss" in card
    assert "3 rows of `pairs.jsonl`; 0 left out by id, 2 that lack English or gloss; 1 " in card
    assert "| recall FS, 1 signs | 0.0 |" in card
    assert "* engine: `an-engine`" in card
    for score in found.system.values():
        assert f"| {score.value:.1f} | {score.low:.1f} to {score.high:.1f} |" in card
        assert f"`{score.signature}`" in card


def test_the_terminal_shows_every_score(capsys):
    found = score_direction(config(), "into_gloss", ROWS)
    show_scores([found], "out/")
    shown = capsys.readouterr().out
    assert all(name in shown for name in found.system)
    assert "1 rows could not be translated" in shown
    assert "out/scores.json" in shown


def test_commands_on_its_output_take_its_storage_options(tmp_path):
    path = tmp_path / "score.yaml"
    path.write_text(
        "pairs: {paths: a.jsonl, storage_options: {key: p}}\nmodel: {name: demo}\n"
        "sink: {path: out, storage_options: {key: s}}\n"
    )
    secrets = storage_options(str(path))
    assert (secrets.source, secrets.sink) == ({"key": "p"}, {"key": "s"})
