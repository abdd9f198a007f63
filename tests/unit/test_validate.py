"""Flags and rejections of translations."""

import pyarrow as pa
import pytest

from aslbatch.schema import DETAIL, REASON
from aslbatch.stages.validate import find_flags, validate_rows


@pytest.mark.parametrize(
    ("source", "translation", "flags"),
    [
        ("I am tired.", "IX-1 TIRED", []),
        ("tu", "TU TU TU TU", ["repeats"]),
        ("no no no", "NO NO NO", []),
        ("a b", "A B A B A B A B", ["repeats"]),
        ("a b c d e f g h i j k l", "A B C A B C A B C", []),
        ("hello", " ".join("ABCDEFGHI"), ["long"]),
        ("hello", " ".join("ABCDEFGH"), []),
        ("hi", "W " * 20, ["repeats", "long"]),
    ],
)
def test_loops_and_overlong_translations_are_flagged(source, translation, flags):
    assert find_flags(source, translation) == flags


def table(translations, reasons):
    return pa.table(
        {
            "source_text": pa.array(["hello"] * len(translations)),
            "translation": pa.array(translations, pa.string()),
            "flags": pa.array([["source_truncated"]] * len(translations), pa.list_(pa.string())),
            REASON: pa.array(reasons, pa.string()),
            DETAIL: pa.array(reasons, pa.string()),
        }
    )


def test_an_empty_translation_is_rejected_and_named():
    checked = validate_rows(table(["HELLO", ""], [None, None]))
    assert checked[REASON].to_pylist() == [None, "empty_translation"]
    assert "'hello'" in checked[DETAIL][1].as_py()


def test_rows_rejected_before_keep_their_reason():
    assert validate_rows(table([None], ["too_long"]))[REASON].to_pylist() == ["too_long"]


def test_flags_of_earlier_stages_stay():
    checked = validate_rows(table(["HI HI HI HI"], [None]))
    assert checked["flags"].to_pylist() == [["source_truncated", "repeats"]]
