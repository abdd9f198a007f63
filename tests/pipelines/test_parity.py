"""The job against the model card's own loop: one sentence at a time, four beams, float32."""

import pyarrow.parquet as pq
import pytest
import torch

from aslbatch.config.translate import TranslateConfig
from aslbatch.models.checkpoint import DEMO_FOLDER
from aslbatch.models.loading import load_model
from aslbatch.pipelines.translate import translate

SENTENCES = 200
MOST_DIFFERENT = 0.005
TIE = 1e-4


def card_loop(loaded, text):
    """Return translation and score, decoded as the card of the published checkpoint says."""
    (encoded,) = loaded.tokenizer.encode([text], "en_XX", 128)
    output = loaded.model.generate(
        input_ids=torch.tensor([encoded.tokens]),
        forced_bos_token_id=loaded.tokenizer.language_id("asl_GL"),
        max_length=128,
        num_beams=4,
        early_stopping=True,
        return_dict_in_generate=True,
        output_scores=True,
    )
    return loaded.tokenizer.decode(output.sequences.tolist())[0], output.sequences_scores.item()


@pytest.mark.usefixtures("cluster")
def test_the_job_translates_like_the_cards_loop(tmp_path):
    config = TranslateConfig.model_validate(
        {
            "source": {"paths": "configs/sample/captions.jsonl"},
            "model": {"name": "demo", "precision": "float32"},
            "sink": {"path": str(tmp_path / "out")},
        }
    )
    translate(config, limit=2 * SENTENCES)
    rows = pq.read_table(tmp_path / "out" / "data").to_pylist()
    by_text = {row["source_text"]: row for row in rows if not row["truncated"]}
    sample = list(by_text.values())[:SENTENCES]
    assert len(sample) == SENTENCES
    loaded = load_model(
        DEMO_FOLDER, languages=("en_XX", "asl_GL"), precision="float32", device="cpu"
    )
    with torch.inference_mode():
        references = [card_loop(loaded, row["source_text"]) for row in sample]
    different = [
        (row["source_text"], row["translation"], text, row["score"] - score)
        for row, (text, score) in zip(sample, references, strict=True)
        if row["translation"] != text
    ]
    assert len(different) <= MOST_DIFFERENT * SENTENCES, different
    assert all(abs(gap) <= TIE for *_, gap in different), different
