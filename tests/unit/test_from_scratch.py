import random

import pytest
import torch

from aslbatch.training.from_scratch import Example, collate, make_batches, new_model, train

LANGUAGE, FIRST, SIZE = 4, 5, 25


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def copies(seed):
    rng = random.Random(seed)
    while True:
        row = [rng.randrange(FIRST, SIZE) for _ in range(rng.randint(2, 5))]
        yield Example([LANGUAGE, *row, 2], [LANGUAGE, *row, 2])


def trained(steps, seed=1):
    model = new_model(SIZE, d_model=32, layers=1, heads=2, ffn_dim=64, max_positions=16, seed=seed)
    losses = train(
        model,
        copies(seed),
        steps=steps,
        max_tokens=800,
        learning_rate=5e-3,
        warmup_steps=20,
        pool_size=256,
        seed=seed,
    )
    return model, losses


def test_a_tiny_model_learns_to_copy():
    model, losses = trained(350)
    assert sum(losses[-10:]) < 0.1 * sum(losses[:10])
    stream = copies(99)
    right = 0
    for example in (next(stream) for _ in range(40)):
        found = model.generate(
            input_ids=torch.tensor([example.source]),
            num_beams=1,
            max_length=16,
            forced_bos_token_id=LANGUAGE,
            do_sample=False,
        )
        right += found[0].tolist() == [2, *example.target]
    assert right >= 36


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    def weights(seed):
        return torch.cat([p.detach().flatten() for p in trained(5, seed)[0].parameters()])

    assert torch.equal(weights(3), weights(3))
    assert not torch.equal(weights(3), weights(4))


def test_embeddings_are_tied_and_start_where_they_are_told():
    start = torch.randn(SIZE, 32)
    model = new_model(SIZE, d_model=32, layers=1, heads=2, ffn_dim=64, embeddings=start)
    for part in (model.model.encoder.embed_tokens, model.model.decoder.embed_tokens, model.lm_head):
        assert part.weight.data_ptr() == model.model.shared.weight.data_ptr()
    assert torch.equal(model.lm_head.weight, start)


def test_decoder_reads_the_target_shifted_by_one():
    batch = collate([Example([4, 7, 2], [4, 8, 9, 2]), Example([4, 2], [4, 2])])
    assert batch.decoder_input_ids.tolist() == [[2, 4, 8, 9], [2, 4, 1, 1]]
    assert batch.labels.tolist() == [[4, 8, 9, 2], [4, 2, -100, -100]]
    assert batch.attention_mask.tolist() == [[1, 1, 1], [1, 1, 0]]


def test_batches_keep_to_the_budget_and_lose_nothing():
    stream = copies(7)
    pool = [next(stream) for _ in range(500)]
    batches = list(make_batches(iter(pool), 120, 200, random.Random(1)))
    for batch in batches:
        assert batch.input_ids.numel() + batch.labels.numel() <= 120
    seen = sorted(
        [token for token in row if token != 1]
        for batch in batches
        for row in batch.input_ids.tolist()
    )
    assert seen == sorted(example.source for example in pool)


def test_an_example_over_the_budget_is_an_error_that_says_so():
    with pytest.raises(ValueError, match="raise max_tokens"):
        list(make_batches(iter([Example([4] * 30, [4] * 30)]), 40, 10, random.Random(1)))
