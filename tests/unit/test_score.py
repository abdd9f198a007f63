"""What is scored, and what stops a score that would not be what it says."""

import pytest

from aslbatch.config.score import ScoreConfig
from aslbatch.errors import SourceError
from aslbatch.pipelines.score import score_direction
from aslbatch.pipelines.score_card import score_card


def config(**pairs):
    values = {
        "pairs": {"paths": "pairs.jsonl", **pairs},
        "model": {"name": "demo"},
        "samples": 100,
        "sink": {"path": "out"},
    }
    return ScoreConfig.model_validate(values)


def row(number, gloss, translation):
    return {
        "id": number,
        "english": f"The dog runs {number}.",
        "gloss": gloss,
        "translation": translation,
        "model": "demo",
        "engine": "an-engine",
    }


ROWS = [
    row(1, "DOG RUN", "DOG RUN"),
    row(2, "DOG RUN FAST", "DOG RUN"),
    row(3, "DOG RUN #ANNA", None),
    row(4, "", "DOG"),
    row(5, None, "DOG"),
]


def test_every_row_counts_and_one_without_a_translation_is_wrong():
    found = score_direction(config(), "into_gloss", ROWS)
    assert (found.rows, found.incomplete, found.rejected, found.excluded) == (3, 2, 1, 0)
    assert found.system["exact match"].value == pytest.approx(100 / 3)
    assert found.system["token-F1"].value == pytest.approx(100 * (1 + 0.8 + 0) / 3)
    assert found.system["recall FS"].value == 0
    assert found.provenance["engine"] == "an-engine"


def test_the_copy_baseline_is_the_input_in_capitals():
    found = score_direction(config(), "into_gloss", ROWS[:1])
    assert found.copy["token-F1"].value == pytest.approx(100 * 2 / 6)
    assert found.copy["exact match"].value == 0
    back = score_direction(config(), "into_english", [row(1, "The dog runs 1.", "x")])
    assert back.copy["exact match"].value == 100


def test_excluded_ids_are_left_out_whatever_their_type():
    wanted = config(id="id", exclude_ids=[2, "3"], expected_rows=1)
    found = score_direction(wanted, "into_gloss", ROWS)
    assert (found.rows, found.excluded) == (1, 2)


def test_an_excluded_id_that_is_not_there_is_told():
    with pytest.raises(SourceError, match=r"1 of 2 ids .* such as '77'; expected ids like '1'"):
        score_direction(config(id="id", exclude_ids=["1", "77"]), "into_gloss", ROWS)


def test_ids_to_exclude_need_a_column():
    with pytest.raises(SourceError, match=r"exclude_ids needs pairs\.id"):
        score_direction(config(exclude_ids=["1"]), "into_gloss", ROWS)


def test_another_number_of_rows_than_expected_is_told():
    with pytest.raises(SourceError, match=r"3 of 5 rows are left to score, expected 979: 0 excl"):
        score_direction(config(expected_rows=979), "into_gloss", ROWS)
    with pytest.raises(SourceError, match="expected at least one"):
        score_direction(config(), "into_gloss", ROWS[3:])


def test_the_card_has_every_score_with_its_interval_baseline_and_signature():
    found = score_direction(config(), "into_gloss", ROWS)
    card = score_card([found])
    assert "### English to gloss" in card
    assert "3 rows; 0 left out by id, 2 that lack English or gloss; 1 that could not" in card
    for name, score in found.system.items():
        assert f"| {name} | {score.value:.1f} | {score.low:.1f} to {score.high:.1f} |" in card
        assert f"`{score.signature}`" in card
