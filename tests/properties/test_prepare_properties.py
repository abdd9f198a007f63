"""What holds of every preparation: no row is lost, nothing leaks, no near sentence is missed."""

import json
from itertools import combinations

import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from aslbatch.config.prepare import PrepareConfig
from aslbatch.corpora.near import NearIndex, count_grams, similarity
from aslbatch.pipelines.prepare import prepare
from aslbatch.text.sentence_key import sentence_key

WORDS = ["paint", "Paint", "wall", "WALL!", "the", "-- the", "naïve", "[SIGHS]", "&amp;", "7", ""]
SENTENCES = st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "english": SENTENCES,
            "gloss": st.sampled_from(["PAINT WALL", "WALL", " ", None]),
            "split": st.sampled_from(["test", "validation", "train", "more"]),
        }
    ),
    min_size=1,
    max_size=12,
)
SPLITS = ("test", "validation", "train", "more")


@settings(max_examples=60, deadline=None)
@given(first=ROWS, second=ROWS, near=st.sampled_from([None, 0.5, 0.9]), required=st.booleans())
def test_every_row_is_accounted_for_and_nothing_leaks(
    tmp_path_factory, first, second, near, required
):
    folder = tmp_path_factory.mktemp("prepared")
    datasets = []
    for name, rows in (("a", first), ("b", second)):
        lines = [json.dumps({"english": "A head.", "gloss": "HEAD", "split": "more"})]
        path = folder / f"{name}.jsonl"
        path.write_text("\n".join([*lines, *map(json.dumps, rows)]) + "\n")
        datasets.append(
            {"kind": "pairs", "name": name, "paths": str(path), "columns": {"split": "split"},
             "origin": "human", "require_target": required}
        )  # fmt: skip
    config = {
        "datasets": datasets,
        "duplicates": {"near": near},
        "leakage": {"near": near},
        "sink": {"path": str(folder / "out")},
    }
    report = prepare(PrepareConfig.model_validate(config))
    kept = {
        split: pq.read_table(path).to_pylist()
        for split in SPLITS
        if (path := folder / "out" / "data" / f"{split}.parquet").exists()
    }
    dropped = folder / "out" / "dropped.parquet"
    ends = [row for rows in kept.values() for row in rows]
    ends += pq.read_table(dropped).to_pylist() if dropped.exists() else []
    places = sorted((row["dataset"], row["source_row"]) for row in ends)
    expected = [("a", n) for n in range(len(first) + 1)] + [
        ("b", n) for n in range(len(second) + 1)
    ]
    assert places == expected
    assert report.rows == len(expected)
    keys = {split: {sentence_key(row["source"]) for row in rows} for split, rows in kept.items()}
    for above, below in combinations(SPLITS[:3], 2):
        assert not keys.get(above, set()) & keys.get(below, set())
    for above in SPLITS[:2]:
        assert not keys.get(above, set()) & keys.get("more", set())
        if near is not None:
            pairs = ((one, other) for one in keys.get(above, ()) for other in keys.get("train", ()))
            assert all(similarity(one, other) < near for one, other in pairs)


KEYS = st.lists(st.text(alphabet="abc", max_size=24), max_size=20)


@given(keys=KEYS, looked_up=st.text(alphabet="abc", max_size=24), threshold=st.floats(0.5, 1.0))
def test_an_index_finds_exactly_the_keys_that_are_near(keys, looked_up, threshold):
    index = NearIndex(count_grams(keys), threshold)
    for key in keys:
        index.add(key)
    near = [n for n, key in enumerate(keys) if similarity(key, looked_up) >= threshold]
    assert list(index.find(looked_up)) == near
