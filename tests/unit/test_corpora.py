"""Data sets read from files, and the steps that choose among their rows."""

import gzip
import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aslbatch.corpora.aslg_pc12 import read_aligned_files, read_aslg_tables
from aslbatch.corpora.cleaning import clean
from aslbatch.corpora.duplicates import drop_duplicates, drop_near_duplicates
from aslbatch.corpora.flores_asl import read_flores_asl
from aslbatch.corpora.how2sign import read_how2sign
from aslbatch.corpora.leakage import check_apart, drop_leaked, protected_sentences
from aslbatch.corpora.noise import drop_flagged, flag_noise
from aslbatch.corpora.pairs import read_pairs
from aslbatch.corpora.row import Labels, Row
from aslbatch.corpora.selection import assign_splits, check_splits, drop_few_shot
from aslbatch.errors import IncompleteRunError, SourceError
from aslbatch.text.normalize import NormalizeRules

LABELS = Labels(entry=0, dataset="d", split="train", license="cc0-1.0", origin="human")
REALIGNED = "VIDEO_ID\tVIDEO_NAME\tSENTENCE_ID\tSENTENCE_NAME\tSTART_REALIGNED\tEND_REALIGNED"
FIRST = "VIDEO_ID\tVIDEO_NAME\tSENTENCE_ID\tSENTENCE_NAME\tSTART\tEND"
FLORES = "id,URL,domain,topic,has_image,has_hyperlink,sentence,gloss,signer,file_name\n"


def a_row(source="We paint a wall.", target="WE PAINT WALL", number=0, **changes):
    values = {"split": "train", "origin": "human", "id": f"r{number}", "license": None}
    values |= dict.fromkeys(("document", "signer", "tag"))
    values |= {"entry": 0, "dataset": "d", "flags": (), "source_uri": "d.csv", **changes}
    return Row(source=source, target=target, source_row=number, **values)


def write_how2sign(path, header, sentences, mark):
    lines = [f"{header}\tSENTENCE"]
    lines += [f"vid\tvid-8-rgb_front\tvid_{n}\tvid_{n}-8-rgb_front\t1.0\t2.0\t{text}"
              for n, text in enumerate(sentences)]  # fmt: skip
    path.write_bytes("".join(f"{line}\r\n" for line in lines).replace("\t", mark).encode())
    return [str(path)]


@pytest.mark.parametrize("header", [REALIGNED, FIRST])
@pytest.mark.parametrize("mark", ["\t", ","])
def test_how2sign_is_read_with_either_header_and_either_delimiter(tmp_path, header, mark):
    texts = ["We paint.", '"He said ""paint"", then left."', "KIM: It itâ\x80\x99s wet -- [SIGHS]"]
    paths = write_how2sign(tmp_path / "own.csv", header, [*texts[:1], *texts], mark)
    [found] = read_how2sign(paths, labels=LABELS, storage_options={})
    assert (found.rows, found.sentences, found.expected) == (4, 3, None)
    assert [row.source for row in found.kept][2] == 'He said "paint", then left.'
    assert found.kept[1].id == "vid_1-8-rgb_front"
    assert (found.kept[1].document, found.kept[1].signer) == ("vid", "8")
    cleaned = clean(found.kept, NormalizeRules(), needs_target=False).kept
    assert cleaned[3].source == "It it's wet --"
    assert (cleaned[3].target, cleaned[3].origin) == (None, None)


def test_only_the_realigned_files_have_a_known_number(tmp_path):
    paths = write_how2sign(tmp_path / "how2sign_realigned_val.csv", REALIGNED, ["A b."], "\t")
    assert read_how2sign(paths, labels=LABELS, storage_options={})[0].expected == 1_741
    paths = write_how2sign(tmp_path / "how2sign_realigned_val.csv", FIRST, ["A b."], "\t")
    assert read_how2sign(paths, labels=LABELS, storage_options={})[0].expected is None


def test_a_table_that_is_not_how2signs_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("english,gloss\nhi,HI\n")
    with pytest.raises(SourceError, match="its columns are english, gloss; expected"):
        read_how2sign([str(tmp_path / "a.csv")], labels=LABELS, storage_options={})


def test_a_row_that_cannot_be_parsed_is_dropped_not_lost(tmp_path):
    paths = write_how2sign(tmp_path / "a.csv", REALIGNED, ["One two.", "Three\tfour."], "\t")
    [found] = read_how2sign(paths, labels=LABELS, storage_options={})
    assert (found.rows, len(found.kept)) == (2, 1)
    [dropped] = found.dropped
    assert (dropped.reason, dropped.row.source_row) == ("invalid_row", 1)
    assert "8 fields" in dropped.detail


def test_flores_keeps_recordings_of_one_sentence_apart_by_signer(tmp_path):
    path = tmp_path / "metadata.csv"
    rows = ["7,u,wiki,t,0,0,The bridge fell.,BRIDGE FALL,0,a.mp4",
            "7,u,wiki,t,0,0,The bridge fell.,BRIDGE COLLAPSE,1,b.mp4"]  # fmt: skip
    path.write_text(FLORES + "\n".join(rows) + "\n")
    [found] = read_flores_asl([str(path)], labels=LABELS, storage_options={})
    assert [(row.id, row.signer) for row in found.kept] == [("7", "0"), ("7", "1")]
    assert drop_duplicates(found.kept, across_datasets=True).dropped == []
    assert len(drop_few_shot(found.kept, ["7"], place="x").dropped) == 2


def test_flores_with_other_columns_is_refused(tmp_path):
    (tmp_path / "metadata.csv").write_text("id,sentence\n1,Hi there.\n")
    with pytest.raises(SourceError, match="no column 'gloss' among id, sentence"):
        read_flores_asl([str(tmp_path / "metadata.csv")], labels=LABELS, storage_options={})


def test_aslg_is_read_from_tables_and_from_lines(tmp_path):
    pq.write_table(pa.table({"gloss": ["WE GO\n"], "text": ["we go\n"]}), tmp_path / "a.parquet")
    [table] = read_aslg_tables([str(tmp_path / "a.parquet")], labels=LABELS, storage_options={})
    (tmp_path / "a.en").write_text("we go\n\nwe stay\n")
    (tmp_path / "a.gloss.gz").write_bytes(gzip.compress(b"WE GO\nX\nWE STAY\n"))
    lines = read_aligned_files(
        str(tmp_path / "a.en"), str(tmp_path / "a.gloss.gz"), labels=LABELS, storage_options={}
    )
    cleaned = clean([*table.kept, *lines.kept], NormalizeRules(), needs_target=True)
    assert [(row.source, row.target) for row in cleaned.kept] == [
        ("we go", "WE GO"), ("we go", "WE GO"), ("we stay", "WE STAY"),
    ]  # fmt: skip
    assert [each.reason for each in cleaned.dropped] == ["empty"]


def test_files_of_different_lengths_are_no_pairs(tmp_path):
    (tmp_path / "a.en").write_text("one\ntwo\n")
    (tmp_path / "a.gloss").write_text("ONE\n")
    with pytest.raises(SourceError, match=r"2 lines, .*a\.gloss 1"):
        read_aligned_files(
            str(tmp_path / "a.en"), str(tmp_path / "a.gloss"), labels=LABELS, storage_options={}
        )


def test_a_line_that_is_not_utf8_drops_its_pair_alone(tmp_path):
    (tmp_path / "a.en").write_text("one\ntwo\n")
    (tmp_path / "a.gloss").write_bytes(b"ONE\n\xff\n")
    found = read_aligned_files(
        str(tmp_path / "a.en"), str(tmp_path / "a.gloss"), labels=LABELS, storage_options={}
    )
    assert [row.target for row in found.kept] == ["ONE"]
    assert [(each.reason, each.row.source) for each in found.dropped] == [("invalid_utf8", "two")]


def read_jsonl(tmp_path, rows, **columns):
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    [found] = read_pairs(
        [str(tmp_path / "p.jsonl")],
        format="auto",
        columns=columns,
        labels=replace(LABELS, origin=None),
        storage_options={},
    )
    return found.kept


def test_pairs_may_have_the_columns_that_translate_writes(tmp_path):
    row = {"source_text": "IX-1 SWIM", "translation": "I swim.", "origin": "machine", "extra": [1]}
    [found] = read_jsonl(
        tmp_path, [row], source="translation", target="source_text", origin="origin"
    )
    assert (found.source, found.target, found.origin) == ("I swim.", "IX-1 SWIM", "machine")
    assert (found.id, found.license) == ("p.jsonl#0", "cc0-1.0")


def test_an_unknown_origin_is_told_with_its_row(tmp_path):
    rows = [{"e": "I swim.", "g": "IX SWIM", "o": "guess"}]
    with pytest.raises(SourceError, match=r"p\.jsonl row 0: the origin of its gloss is 'guess'"):
        read_jsonl(tmp_path, rows, source="e", target="g", origin="o")


def test_a_column_that_is_no_text_is_told(tmp_path):
    with pytest.raises(SourceError, match=r"column 'g' is list"):
        read_jsonl(tmp_path, [{"e": "I swim.", "g": ["SWIM"]}], source="e", target="g")


def test_a_few_shot_id_that_is_nowhere_stops_the_job():
    rows = [a_row(number=n) for n in range(3)]
    with pytest.raises(SourceError, match=r"1 of 2 ids are in no row, such as '1'; .* like 'r0'"):
        drop_few_shot(rows, ["r1", "1"], place="datasets[0].few_shot_ids")


def test_shares_split_by_sentence_and_not_by_row():
    texts = [f"Sentence number {n} is here." for n in range(2_000)]
    shares = {"train": 0.8, "validation": 0.1, "test": 0.1}
    rows = assign_splits([a_row(text) for text in texts], shares)
    counts = {name: sum(row.split == name for row in rows) for name in shares}
    assert 1_540 < counts["train"] < 1_660
    assert counts["validation"] > 140 < counts["test"]
    shouted = assign_splits([a_row(text.upper()) for text in reversed(texts)], shares)
    assert [row.split for row in shouted] == [row.split for row in reversed(rows)]


@pytest.mark.parametrize("split", [None, "a/b", ""])
def test_a_split_that_cannot_name_a_file_is_told(split):
    with pytest.raises(SourceError, match=r"d\.csv row 4: its split is"):
        check_splits([a_row(split=split, number=4)])


def test_the_first_of_equal_rows_of_a_split_is_kept():
    rows = [a_row(), a_row(number=1), a_row(number=2, target="PAINT WALL"),
            a_row(number=3, split="test"), a_row(number=4, dataset="e")]  # fmt: skip
    found = drop_duplicates(rows, across_datasets=True)
    assert [(each.row.source_row, each.detail) for each in found.dropped] == [
        (1, "the same as d.csv row 0"), (4, "the same as d.csv row 0"),
    ]  # fmt: skip
    assert len(drop_duplicates(rows, across_datasets=False).dropped) == 1


def test_near_duplicates_need_both_texts_to_be_near():
    text = "We are going to paint the whole long wall of the old house in the morning"
    rows = [a_row(text), a_row(text + "s!", number=1), a_row(text, "HOUSE WALL PAINT", number=2),
            a_row("We paint.", number=3), a_row(text, None, number=4)]  # fmt: skip
    found = drop_near_duplicates(rows, 0.9, across_datasets=True)
    assert [each.row.source_row for each in found.dropped] == [1]
    assert found.dropped[0].detail.startswith("0.98 like d.csv row 0: We are going")


PROTECT = ["test", "validation"]


def test_a_protected_sentence_is_dropped_below_whatever_its_case_and_data_set():
    rows = [
        a_row("Don't paint the wall!", split="test", dataset="a", source_uri="a.csv"),
        a_row("dont paint   the WALL", split="train", dataset="b", number=1),
        a_row("Don’t paint the wall.", split="validation", dataset="c", number=2),  # noqa: RUF001
        a_row("Paint the wall, don't!", split="train", number=3),
        a_row("Sit down.", split="validation", number=4),
        a_row("Sit down!", split="other", number=5),
    ]
    sentences = protected_sentences(rows, PROTECT, [])
    found = drop_leaked(rows, sentences, PROTECT, threshold=None)
    assert [(each.row.source_row, each.reason) for each in found.dropped] == [
        (1, "leaked"), (2, "leaked"), (5, "leaked"),
    ]  # fmt: skip
    assert found.dropped[0].detail == "also a.csv row 0 (test): Don't paint the wall!"
    check_apart(found.kept, sentences, PROTECT)
    with pytest.raises(IncompleteRunError, match="sentences of train are protected"):
        check_apart(rows, sentences, PROTECT)


def test_near_sentences_leak_too():
    text = "We are going to paint the whole long wall of the old house in the morning"
    rows = [a_row(text, split="test"), a_row(f"{text}s", number=1), a_row("We paint.", number=2)]
    sentences = protected_sentences(rows, PROTECT, [])
    found = drop_leaked(rows, sentences, PROTECT, threshold=0.9)
    assert [(each.row.source_row, each.reason) for each in found.dropped] == [(1, "near_leaked")]
    assert drop_leaked(rows, sentences, PROTECT, threshold=None).dropped == []


def test_excluded_sentences_stay_out_of_unprotected_splits_alone():
    rows = [a_row("Sit down.", split="test"), a_row("Sit down.", split="train", number=1)]
    sentences = protected_sentences([], PROTECT, [("sit down", "x.txt row 3")])
    found = drop_leaked(rows, sentences, PROTECT, threshold=0.9)
    [dropped] = found.dropped
    assert (dropped.row.split, dropped.reason) == ("train", "leaked")
    assert dropped.detail == "also x.txt row 3 (excluded): sit down"


PAGE = [
    ("The river flooded three villages in the valley.", "RIVER FLOOD THREE VILLAGE VALLEY"),
    ("Engineers repaired the broken bridge last summer.", "LAST SUMMER ENGINEER REPAIR BRIDGE"),
    ("Farmers planted oranges near the northern coast.", "FARMER PLANT ORANGE NEAR NORTH COAST"),
    ("Doctors opened a second hospital for children.", "DOCTOR OPEN SECOND HOSPITAL CHILDREN"),
]


def flags(pairs):
    rows = [a_row(source, target, number) for number, (source, target) in enumerate(pairs)]
    return [row.flags for row in flag_noise(rows)]


def test_glosses_in_their_place_are_not_flagged():
    assert flags(PAGE) == [()] * 4
    assert flags([PAGE[0], PAGE[0]]) == [(), ()]


def test_glosses_that_moved_by_a_row_are_flagged():
    sources, targets = zip(*PAGE, strict=True)
    moved = flags(list(zip(sources, (*targets[1:], "SOMETHING ELSE ENTIRELY"), strict=True)))
    assert moved == [("shifted_gloss",)] * 3 + [()]


def test_a_gloss_at_two_sentences_is_flagged_at_both_and_dropped_if_asked():
    pairs = [*PAGE, ("The museum sells old coins.", "Farmer plant orange near north coast")]
    found = flags(pairs)
    assert [number for number, each in enumerate(found) if "repeated_gloss" in each] == [2, 4]
    rows = [a_row(flags=each, number=number) for number, each in enumerate(found)]
    kept = drop_flagged(rows, ["repeated_gloss"])
    assert [row.source_row for row in kept.kept] == [0, 1, 3]
    assert [each.reason for each in kept.dropped] == ["flagged", "flagged"]
