"""An evaluation set through the whole job: translated both ways, scored, and scored again."""

import json
import random
from pathlib import Path

import pytest

from aslbatch.config.score import ScoreConfig
from aslbatch.errors import SourceError
from aslbatch.pipelines.score import score
from aslbatch.training.demo.grammar import Grammar

ROWS = 60


@pytest.fixture
def pairs(tmp_path, monkeypatch):
    """Sentences of the demo grammar with their glosses, some of them odd, as the job's source."""
    monkeypatch.chdir(tmp_path)
    grammar = Grammar(random.Random(8))
    drawn = [grammar.sentence() for _ in range(ROWS)]
    rows = [{"id": f"s{n}", "english": p.english, "gloss": p.gloss} for n, p in enumerate(drawn)]
    rows[3]["gloss"] = None
    rows[7]["english"] = "..."
    Path("pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return rows


def config(**pairs):
    return ScoreConfig.model_validate(
        {
            "pairs": {"paths": "pairs.jsonl", "id": "id", **pairs},
            "model": {"name": "demo"},
            "resamples": 100,
            "sink": {"path": "out"},
            "run": {"workers": 1, "max_failed_rows": 1.0},
        }
    )


@pytest.mark.usefixtures("cluster", "pairs")
def test_a_model_is_scored_both_ways_beside_a_copy():
    wanted = config(exclude_ids=["s0", "s1"], expected_rows=ROWS - 3)
    gloss, english = score(wanted)
    assert (gloss.rows, gloss.excluded, gloss.incomplete) == (ROWS - 3, 2, 1)
    assert gloss.rejected == 1
    assert gloss.system["token-F1"].value > 90 > gloss.copy["token-F1"].value
    assert english.rows == ROWS - 3
    assert english.system["chrF"].value > 80
    assert gloss.provenance["model"] == ["demo"]
    assert gloss.sources == ["pairs.jsonl"]
    written = json.loads(Path("out/scores.json").read_text())
    assert written["into_gloss"]["system"]["chrF"]["value"] == gloss.system["chrF"].value
    assert "### Gloss to English" in Path("out/scores.md").read_text()
    before = Path("out/scores.json").read_bytes()
    score(wanted)
    assert Path("out/scores.json").read_bytes() == before


@pytest.mark.usefixtures("cluster", "pairs")
def test_a_score_of_other_rows_than_meant_is_not_written_nor_an_old_one_left():
    score(config())
    with pytest.raises(SourceError, match="expected_rows is 979"):
        score(config(expected_rows=979))
    assert not Path("out/scores.json").exists()


@pytest.mark.usefixtures("cluster", "pairs")
def test_pairs_must_not_lie_in_the_output():
    Path("out").mkdir()
    Path("pairs.jsonl").rename("out/pairs.jsonl")
    with pytest.raises(SourceError, match="lies in the output folder"):
        score(config(paths="out"))


@pytest.mark.usefixtures("cluster")
def test_a_column_that_is_no_text_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("pairs.jsonl").write_text('{"english": "I swim.", "gloss": ["IX-1", "SWIM"], "id": 1}\n')
    with pytest.raises(SourceError, match=r"column 'gloss' of pairs\.paths holds list"):
        score(config())
