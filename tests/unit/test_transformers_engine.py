"""The reference engine against the loop of the model card, and against its own scores."""

import pytest
import torch

from aslbatch.models.checkpoint import DEMO_FOLDER
from aslbatch.models.decoding import Decoding
from aslbatch.models.engine import EngineOutOfMemoryError
from aslbatch.models.engines import load_engine
from aslbatch.models.loading import load_model

LANGUAGES = ("en_XX", "asl_GL")
SENTENCES = [
    "The boy bought a red car yesterday.",
    "Where do you live?",
    "I don't like coffee, but my sister does.",
    "Anna is tired because she worked.",
    "Zorblax will visit the museum tomorrow.",
    "No!",
]


@pytest.fixture(scope="module")
def loaded():
    return load_model(DEMO_FOLDER, languages=LANGUAGES, precision="float32", device="cpu")


@pytest.fixture(scope="module")
def engine_and_tokenizer():
    return load_engine(
        DEMO_FOLDER, languages=LANGUAGES, engine="transformers", precision="float32", device="cpu"
    )


def run(engine_and_tokenizer, texts=SENTENCES, **decoding):
    engine, tokenizer = engine_and_tokenizer
    batch = [text.tokens for text in tokenizer.encode(texts, "en_XX", 128)]
    return engine.translate(batch, target_lang="asl_GL", decoding=Decoding(**decoding))


def card_loop(loaded, text, **settings):
    """One sentence at a time, as the model card of the published checkpoint does it."""
    (encoded,) = loaded.tokenizer.encode([text], "en_XX", 128)
    return loaded.model.generate(
        input_ids=torch.tensor([encoded.tokens]),
        forced_bos_token_id=loaded.tokenizer.language_id("asl_GL"),
        max_length=128,
        return_dict_in_generate=True,
        output_scores=True,
        **({"num_beams": 4, "early_stopping": True} | settings),
    )


def test_a_batch_gives_what_the_cards_loop_gives_one_by_one(engine_and_tokenizer, loaded):
    for text, (hypothesis,) in zip(SENTENCES, run(engine_and_tokenizer), strict=True):
        reference = card_loop(loaded, text)
        tokens = loaded.tokenizer.without_special(reference.sequences[0].tolist())
        assert hypothesis.tokens == tokens
        assert hypothesis.score == pytest.approx(reference.sequences_scores[0].item(), abs=1e-4)
        assert hypothesis.complete


def test_greedy_scores_are_the_normalized_log_probabilities(engine_and_tokenizer, loaded):
    for text, (hypothesis,) in zip(SENTENCES, run(engine_and_tokenizer, num_beams=1), strict=True):
        reference = card_loop(loaded, text, num_beams=1, early_stopping=None)
        steps = loaded.model.compute_transition_scores(
            reference.sequences, reference.scores, normalize_logits=True
        )[0]
        # The language token is forced, so that its log-probability is 0 there too.
        expected = steps.sum().item() / len(steps)
        assert hypothesis.score == pytest.approx(expected, abs=1e-4)


def test_n_best_lists_come_best_first(engine_and_tokenizer):
    for hypotheses in run(engine_and_tokenizer, num_return_sequences=3):
        scores = [hypothesis.score for hypothesis in hypotheses]
        assert len(hypotheses) == 3
        assert scores == sorted(scores, reverse=True)
        assert len({tuple(hypothesis.tokens) for hypothesis in hypotheses}) == 3


def test_a_length_penalty_changes_the_scores(engine_and_tokenizer):
    plain = run(engine_and_tokenizer)[0][0].score
    assert run(engine_and_tokenizer, length_penalty=2.0)[0][0].score != pytest.approx(plain)


def test_sampling_depends_on_the_seed_alone(engine_and_tokenizer):
    settings = {"num_beams": 1, "do_sample": True, "temperature": 3.0}
    first = run(engine_and_tokenizer, **settings, seed=1)
    torch.manual_seed(99)
    assert run(engine_and_tokenizer, **settings, seed=1) == first
    assert run(engine_and_tokenizer, **settings, seed=2) != first


def test_a_target_that_reaches_the_limit_is_incomplete(engine_and_tokenizer):
    ((hypothesis,),) = run(engine_and_tokenizer, SENTENCES[2:3], max_length=6)
    assert not hypothesis.complete
    assert len(hypothesis.tokens) <= 4


def test_the_name_says_version_precision_and_device(engine_and_tokenizer):
    engine, _ = engine_and_tokenizer
    assert engine.name.startswith("transformers:5.")
    assert engine.name.endswith("|float32|cpu")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)
def test_running_out_of_memory_is_told_apart(engine_and_tokenizer, monkeypatch, error):
    engine, _ = engine_and_tokenizer

    def fail(**_):
        raise error

    monkeypatch.setattr(engine._model, "generate", fail)
    with pytest.raises(EngineOutOfMemoryError):
        run(engine_and_tokenizer)


def test_other_errors_are_not_hidden(engine_and_tokenizer, monkeypatch):
    engine, _ = engine_and_tokenizer

    def fail(**_):
        raise RuntimeError("shape mismatch")

    monkeypatch.setattr(engine._model, "generate", fail)
    with pytest.raises(RuntimeError, match="shape mismatch"):
        run(engine_and_tokenizer)
