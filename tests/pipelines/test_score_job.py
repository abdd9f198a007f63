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


def config(
    *, out="out", compare_with=None, num_beams=4, directions=("into_gloss", "into_english"), **pairs
):
    return ScoreConfig.model_validate(
        {
            "pairs": {"paths": "pairs.jsonl", "id": "id", **pairs},
            "model": {"name": "demo"},
            "decoding": {"num_beams": num_beams},
            "directions": list(directions),
            "resamples": 100,
            "sink": {"path": out},
            "compare_with": compare_with,
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
def test_two_systems_are_compared_on_the_same_rows():
    score(config(out="greedy", num_beams=1))
    found = score(config(compare_with="greedy"))
    alone = json.loads(Path("greedy/scores.json").read_text())
    written = json.loads(Path("out/scores.json").read_text())
    for each in found:
        there = written[each.direction]["other"]
        assert there["scores"] == alone[each.direction]["system"]
        chrf = there["differences"]["chrF"]
        assert chrf["value"] == each.system["chrF"].value - there["scores"]["chrF"]["value"]
        assert chrf["low"] <= chrf["value"] <= chrf["high"]
        assert 0 < chrf["p"] <= 1
        assert there["provenance"]["decoding"][0].startswith("beam:1|")
        assert each.provenance["decoding"][0].startswith("beam:4|")
    card = Path("out/scores.md").read_text()
    assert "#### Gloss to English, against `greedy/into_english`" in card


@pytest.mark.usefixtures("cluster", "pairs")
def test_what_is_wrong_with_pairs_is_told_before_work_and_touches_nothing():
    score(config(directions=["into_gloss"]))
    before = {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()}
    with pytest.raises(SourceError, match="expected_rows says 979"):
        score(config(expected_rows=979, num_beams=1))
    with pytest.raises(SourceError, match="compare_with: there are no translations in none/into"):
        score(config(compare_with="none", num_beams=1))
    with pytest.raises(SourceError, match=r"no translations in out/into_english; .* or leave"):
        score(config(out="new", compare_with="out"))
    assert {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()} == before
    assert not Path("new").exists()


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
    with pytest.raises(
        SourceError, match=r"column 'gloss' is list<.* pairs\.english or pairs\.gloss"
    ):
        score(config())
