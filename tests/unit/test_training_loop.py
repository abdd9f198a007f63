"""The loop: it learns, it is a function of its seed, and it goes on as if nothing had happened."""

import pytest
import torch
from training_examples import LANGUAGE, batches_of, copies, small_model

from aslbatch.errors import QualityAlarmError, SinkError
from aslbatch.storage.folder import Storage
from aslbatch.training.checkpoints import Checkpoints
from aslbatch.training.learner import WholeModel
from aslbatch.training.loop import Recipe, Training
from aslbatch.training.world import World


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def training(steps, *, dropout=0.0, seed=1, **recipe):
    examples = copies(4_000)
    values = {"learning_rate": 5e-3, "warmup_steps": 20, "beta2": 0.98, "seed": seed} | recipe
    return Training(
        WholeModel(small_model(seed, dropout)),
        examples,
        batches_of(examples, seed=seed),
        Recipe(steps=steps, **values),
    )


def weights(run):
    return torch.cat([p.detach().flatten() for p in run.state()["parameters"].values()])


def test_a_tiny_model_learns_to_copy():
    run = training(350)
    run.run(350)
    assert sum(run.losses[-10:]) < 0.1 * sum(run.losses[:10])
    model, right = run._learner.merged(), 0
    examples = copies(40, seed=99)
    for example in (examples[index] for index in range(40)):
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
    runs = [training(5, seed=seed) for seed in (3, 3, 4)]
    for run in runs:
        run.run(5)
    one, same, other = map(weights, runs)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_step_is_the_same_in_pieces():
    whole, pieces = training(12), training(12, piece_tokens=60)
    whole.run(12)
    pieces.run(12)
    assert pieces.losses == pytest.approx(whole.losses, abs=1e-5)


def test_going_on_from_a_state_is_as_if_nothing_had_happened(tmp_path):
    undisturbed = training(30, dropout=0.3)
    undisturbed.run(30)
    states = Checkpoints(Storage(str(tmp_path)))
    killed = training(30, dropout=0.3)
    killed.run(11)
    states.save(killed.state())
    killed.run(17)
    torch.manual_seed(999)
    resumed = training(30, dropout=0.3)
    resumed.restore(states.newest())
    assert resumed.step == 11
    resumed.run(30)
    assert resumed.losses == undisturbed.losses
    assert torch.equal(weights(resumed), weights(undisturbed))


def test_a_damaged_or_half_written_state_is_never_gone_on_from(tmp_path):
    states, run = Checkpoints(Storage(str(tmp_path))), training(30)
    for step in (2, 4, 6):
        run.run(step)
        states.save(run.state())
    damaged = bytearray((tmp_path / "step-00000006.pt").read_bytes())
    damaged[-100] ^= 1
    (tmp_path / "step-00000006.pt").write_bytes(damaged)
    assert states.newest()["step"] == 4
    (tmp_path / "step-00000004.json").unlink()
    assert states.newest()["step"] == 2
    states.keep({2})
    assert states.steps() == [2]
    (tmp_path / "step-00000002.json").write_text("{")
    assert states.newest() is None


class Other(World):
    """A worker that is told what the first one says."""

    def gather(self, values):
        return [self.size, *values]


def test_all_workers_go_on_from_the_state_that_the_first_one_finds_whole(tmp_path):
    states, run = Checkpoints(Storage(str(tmp_path))), training(30)
    for step in (2, 4, 6):
        run.run(step)
        states.save(run.state())
    assert states.resume(Other(rank=1, size=4))["step"] == 4
    assert states.steps() == [2, 4, 6]
    with pytest.raises(SinkError, match=r"does not see the state of step 5 .*all nodes share"):
        states.resume(Other(rank=1, size=5))
    (tmp_path / "step-00000006.pt").write_bytes(b"")
    # The damaged one would be among the two newest that are kept, and whole ones would not.
    assert states.resume(World())["step"] == 4
    assert states.steps() == [2, 4]
    for step in states.steps():
        (tmp_path / f"step-{step:08d}.pt").write_bytes(b"")
    assert states.resume(World()) is None
    assert states.steps() == []


def test_a_state_of_another_model_is_refused():
    run = training(5)
    state = run.state()
    state["parameters"].pop("model.shared.weight")
    with pytest.raises(ValueError, match="other parameters"):
        run.restore(state)


def test_the_learning_rate_rises_and_falls():
    linear = Recipe(steps=100, learning_rate=1.0, warmup_steps=10)
    cosine = Recipe(steps=100, learning_rate=1.0, warmup_steps=10, schedule="cosine")
    for recipe in (linear, cosine):
        rates = [recipe.rate(step) for step in range(101)]
        assert rates[0] == 0.1
        assert max(rates) == rates[9] == 1.0
        assert rates[100] == pytest.approx(0.0)
        assert rates[9:] == sorted(rates[9:], reverse=True)
    assert linear.rate(55) == pytest.approx(0.5)
    assert cosine.rate(55) == pytest.approx(0.5)
    assert cosine.rate(20) > linear.rate(20)


def test_a_loss_that_is_no_number_halts_and_leaves_the_weights():
    run = training(5)
    run.run(2)
    before = weights(run)
    run._learner.model.final_logits_bias[0, 7] = float("nan")
    with pytest.raises(QualityAlarmError, match="step 3: the loss is nan"):
        run.run(3)
    assert torch.equal(weights(run), before)
