"""A teacher beside authentic gloss, and beside another teacher."""

import json

import pytest

from aslbatch.pipelines.gold import agreement, gold_report

ROWS = [
    ("The dog runs.", "DOG RUN", "DOG RUN"),
    ("Anna has 3 cars.", "fs-ANNA HAVE 3 CAR", "#ANNA HAVE 3 cl:cars"),
    ("She sleeps.", None, "IX SLEEP"),
]


def test_a_teacher_stands_beside_a_copy_of_the_input():
    found = gold_report(ROWS, samples=100)
    assert (found.rows, found.failed) == (3, 1)
    assert found.teacher["token-F1"].value == pytest.approx(100 * (1 + 0.5 + 0) / 3)
    assert found.teacher["token-F1 normalized"].value == pytest.approx(100 * (1 + 0.75 + 0) / 3)
    # THE DOG RUNS, ANNA HAS 3 CARS, SHE SLEEPS
    assert found.copy["token-F1"].value == pytest.approx(100 * (0.4 + 0.25 + 0) / 3)
    recalls = {name: score for name, score in found.teacher.items() if name.startswith("recall")}
    assert {name: (score.value, score.count) for name, score in recalls.items()} == {
        "recall FS": (100, 1),
        "recall IX": (0, 1),
        "recall CL": (0, 1),
        "recall NUM": (100, 1),
    }
    low, high = found.teacher["token-F1"].low, found.teacher["token-F1"].high
    assert 0 <= low < found.teacher["token-F1"].value < high <= 100


def test_a_report_is_shown_as_a_table_and_in_a_card():
    found = gold_report(ROWS, samples=100)
    head, *rows = found.table()
    assert head == ["score", "teacher", "95 % interval", "copy of the input"]
    assert all(len(row) == len(head) for row in rows)
    assert ["token-F1", "50.0"] in [row[:2] for row in rows]
    card = "\n".join(found.section())
    assert "3 rows; 1 that the teacher failed on" in card
    assert "gloss-norm:" in card
    values = json.loads(json.dumps(found.as_dict()))
    assert "samples" not in values["teacher"]["token-F1"]


def test_teachers_agree_the_same_either_way():
    pairs = [("DOG RUN", "DOG  RUN"), ("fs-JOHN GO", "#JOHN GO"), ("CAT", "DOG")]
    found = agreement(pairs, samples=100)
    values = {name: score.value for name, score in found.scores.items()}
    assert values == {
        "token-F1": pytest.approx(50),
        "token-F1 normalized": pytest.approx(200 / 3),
        "exact match": pytest.approx(100 / 3),
    }
    assert agreement([pair[::-1] for pair in pairs], samples=100) == found
    assert found.table()[0] == ["score", "agreement", "95 % interval"]
    assert "3 rows that both have glossed." in list(found.section())
    json.dumps(found.as_dict())


def test_there_is_nothing_to_say_of_no_rows():
    with pytest.raises(ValueError, match="at least one"):
        gold_report([])
    with pytest.raises(ValueError, match="at least one"):
        agreement([])
