"""An evaluation set is checked while it is read, and translations are those of its pairs."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fake_output import fake_output

from aslbatch.config.score import PairsSection
from aslbatch.errors import IncompleteRunError, SourceError
from aslbatch.pipelines.pairs import read_pairs
from aslbatch.pipelines.system import read_compared, read_system
from aslbatch.shards.layout import COMMITS
from aslbatch.shards.reading import Reading
from aslbatch.storage.folder import Storage

ROWS = [
    {"id": 1, "english": "The dog runs.", "gloss": "DOG RUN"},
    {"id": 2, "english": "I swim fast.", "gloss": "IX-1 SWIM FAST"},
    {"id": 3, "english": "...", "gloss": "WHAT"},
    {"id": 4, "english": "A cat sleeps.", "gloss": " "},
    {"id": 5, "english": None, "gloss": "CAT"},
]


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(ROWS)


def write(rows, name="pairs.jsonl"):
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))


def section(**values):
    return PairsSection.model_validate({"paths": "pairs.jsonl", **values})


def pairs(**values):
    return read_pairs(section(**values), Storage("out"))


def translated(folder="other/into_gloss", reading=None, **planned):
    return fake_output(
        folder, "pairs.jsonl", reading=reading or Reading(text_column="english"), **planned
    )


def test_pairs_are_those_with_english_and_gloss_in_their_order():
    found = pairs()
    assert [(pair.source_uri, pair.source_row, pair.gloss) for pair in found.scored] == [
        ("pairs.jsonl", 0, "DOG RUN"),
        ("pairs.jsonl", 1, "IX-1 SWIM FAST"),
        ("pairs.jsonl", 2, "WHAT"),
    ]
    assert (found.sources, found.excluded, found.incomplete) == (["pairs.jsonl"], 0, 2)


def test_excluded_ids_are_left_out_whatever_their_type():
    found = pairs(id="id", exclude_ids=[2, "3"], expected_rows=1)
    assert [pair.source_row for pair in found.scored] == [0]
    assert found.excluded == 2


def test_an_excluded_id_that_is_not_there_is_told():
    with pytest.raises(SourceError, match=r"1 of 2 ids .* such as '77'; expected ids like '1'"):
        pairs(id="id", exclude_ids=["1", "77"])


def test_another_number_of_rows_than_expected_is_told():
    with pytest.raises(SourceError, match=r"3 of 5 rows .* pairs\.expected_rows says 979: 0 left"):
        pairs(expected_rows=979)
    with pytest.raises(SourceError, match=r"pairs\.known_set flores_asl_dev says 979"):
        pairs(known_set="flores_asl_dev")
    write(ROWS[3:])
    with pytest.raises(SourceError, match="any number but 0"):
        pairs()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"english": "A", "gloss": 7}', r"row 5: invalid_row .*'gloss'"),
        ('{"english": "A", ', "row 5: invalid_row"),
    ],
)
def test_a_row_that_cannot_be_read_is_not_left_out(line, reason):
    with Path("pairs.jsonl").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(SourceError, match=rf"pairs\.jsonl {reason}.* mend or drop the row"):
        pairs()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"gloss": "sign"}, r"no column 'sign'; set pairs\.english or pairs\.gloss to one of"),
        ({"english": "id"}, "column 'id' is int64, expected string"),
        ({"id": "name"}, r"^pairs\.id: no source has 'name'"),
        ({"paths": "none.jsonl"}, r"none\.jsonl: .*check pairs\.paths"),
    ],
)
def test_what_is_missing_is_told_by_the_keys_of_this_job(values, message):
    with pytest.raises(SourceError, match=message):
        pairs(**values)


def test_each_file_must_have_both_columns():
    write([{"english": "I swim."}], "more.jsonl")
    with pytest.raises(SourceError, match=r"more\.jsonl: there is no column 'gloss'"):
        pairs(paths=["pairs.jsonl", "more.jsonl"])


def test_pairs_of_a_prepared_set_are_read_whatever_the_type_of_their_strings():
    kinds = {"source": pa.large_string(), "target": pa.dictionary(pa.int32(), pa.string())}
    columns = [pa.array(["I swim.", "I run."], kinds["source"])]
    columns.append(pa.array(["IX-1 SWIM", "IX-1 RUN"]).cast(kinds["target"]))
    pq.write_table(pa.table([*columns, ["test", "test"]], [*kinds, "split"]), "pairs.parquet")
    found = pairs(paths="pairs.parquet", english="source", gloss="target")
    assert [(pair.english, pair.gloss) for pair in found.scored] == [
        ("I swim.", "IX-1 SWIM"),
        ("I run.", "IX-1 RUN"),
    ]


def test_translations_are_found_by_source_and_row():
    found = read_system(translated(shard_rows=2), pairs(id="id", exclude_ids=[1]), section())
    assert found.translations == ["I swim fast.", None]
    assert found.rejected == 1
    assert (found.provenance["model"], found.provenance["run_id"]) == (["model"], ["run_id"])


def test_a_folder_without_translations_cannot_be_compared_with():
    with pytest.raises(SourceError, match=r"no translations in other/into_gloss; run a score job"):
        read_compared(Storage("other"), "into_gloss", pairs(), section())


def test_translations_must_be_finished():
    storage = translated()
    storage.delete(COMMITS)
    with pytest.raises(IncompleteRunError, match="not committed; run the job again"):
        read_compared(Storage("other"), "into_gloss", pairs(), section())


def test_pairs_that_changed_since_are_told_by_row_with_both_texts():
    translated()
    write([{**ROWS[0], "gloss": "DOG FAST RUN"}, *ROWS[1:]])
    expected = (
        r"pairs\.jsonl row 0: 'gloss' is 'DOG FAST RUN', but was 'DOG RUN' when the translations "
        r"in other/into_gloss were made; run the job that wrote .* again"
    )
    with pytest.raises(SourceError, match=expected):
        read_compared(Storage("other"), "into_gloss", pairs(), section())


def test_a_pair_that_was_not_translated_is_told():
    translated()
    write([*ROWS, {"id": 6, "english": "One more.", "gloss": "ONE MORE"}])
    with pytest.raises(SourceError, match=r"pairs\.jsonl row 5: not among the translations"):
        read_compared(Storage("other"), "into_gloss", pairs(), section())


def test_translations_without_the_columns_of_the_pairs_are_told():
    translated(columns=["id", "english"])
    with pytest.raises(SourceError, match=r"no column 'gloss', they have 'id', 'english'"):
        read_compared(Storage("other"), "into_gloss", pairs(), section())
