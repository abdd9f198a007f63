"""The audit of a shortlist: what it samples, and when it raises the alarm."""

import random
from collections import Counter

import pytest

from aslbatch.errors import QualityAlarmError
from aslbatch.models.decoding import Decoding
from aslbatch.models.engine import Batching, Hypothesis
from aslbatch.stages.audit import WHILE_AT_WORK, Audit, check_agreement, least_of_shard

TEXTS = [f"text {number}" for number in range(1_000)]


class Echo:
    """An engine that gives back its input."""

    name = "echo"
    batching = Batching(64, equal_lengths=True)
    full = None

    def translate(self, batch, *, target_lang, decoding):
        return [[Hypothesis(row, -1.0, True)] for row in batch]


def audit(share=0.01, least=0.0, least_agreement=0.98):
    return Audit(
        Echo(),
        target_lang="asl_GL",
        decoding=Decoding(),
        max_tokens=64,
        share=share,
        least=least,
        least_agreement=least_agreement,
    )


def test_the_sample_is_a_function_of_the_texts_alone():
    sample = audit().sample(TEXTS)
    assert len(sample) == 10
    assert audit().sample(TEXTS) == sample


def test_lines_that_many_shards_have_are_not_in_the_sample_of_each():
    """Else one of them would be counted again and again, as if it were many."""
    shards = [[*TEXTS[:100], f"of shard {number}"] for number in range(200)]
    drawn = Counter(text for shard in shards for text in audit(share=0.01).sample(shard))
    assert max(drawn.values()) < 12
    assert len(drawn) > 50


def test_the_share_holds_over_shards_smaller_than_it_takes_for_one_text():
    shards = [[f"{number} {text}" for text in TEXTS[:50]] for number in range(400)]
    drawn = sum(len(audit(share=0.01).sample(shard)) for shard in shards)
    assert 150 < drawn < 250


def test_all_texts_are_sampled_or_none_where_that_is_wanted():
    assert sorted(audit(share=1.0).sample(TEXTS)) == sorted(TEXTS)
    assert audit(share=0.0).sample(TEXTS) == []


@pytest.mark.parametrize(("shards", "least"), [(0, 1.0), (1, 1.0), (10, 1.0), (40, 0.25)])
def test_a_run_of_few_shards_audits_each(shards, least):
    assert least_of_shard(shards) == least


def test_every_shard_is_audited_or_ten_of_many():
    shards = [[f"{number} {text}" for text in TEXTS[:5]] for number in range(400)]
    assert all(len(audit(share=0.001, least=1.0).sample(shard)) == 1 for shard in shards)
    drawn = sum(len(audit(share=0.001, least=least_of_shard(400)).sample(s)) for s in shards)
    assert 3 <= drawn <= 20
    assert audit(share=0.0, least=1.0).sample(TEXTS) == []


def test_rows_are_compared_one_by_one():
    rows = {text: [0, number, 2] for number, text in enumerate(TEXTS[:100])}
    found = {text: [Hypothesis(row, -1.0, True)] for text, row in rows.items()}
    found[TEXTS[7]] = [Hypothesis([9], -1.0, True)]
    agrees = audit().compare(rows, found)
    assert [text for text, same in agrees.items() if not same] == [TEXTS[7]]
    assert len(agrees) == 100


def test_a_row_without_a_translation_is_not_compared():
    assert audit().compare({"a": [0, 2]}, {"a": []}) == {}


def test_the_alarm_adds_up_over_shards():
    of = audit(least_agreement=0.95)
    rows = {"a": [0, 2]}
    wrong = {"a": [Hypothesis([9], -1.0, True)]}
    for _ in range(4):
        of.compare(rows, wrong)
    with pytest.raises(QualityAlarmError, match="5 of 5 sampled texts"):
        of.compare(rows, wrong)


def test_without_a_wanted_agreement_there_is_no_alarm():
    of = audit(least_agreement=0.0)
    for _ in range(50):
        of.compare({"a": [0, 2]}, {"a": [Hypothesis([9], -1.0, True)]})


def test_a_worker_that_looks_after_every_shard_gives_no_false_alarm():
    """300 workers, 200 looks each, at an agreement that is just what is wanted."""
    draw = random.Random(0)
    for _ in range(300):
        differing = 0
        for look in range(1, 201):
            differing += sum(draw.random() < 0.02 for _ in range(8))
            check_agreement(8 * look, 8 * look - differing, 0.98, level=WHILE_AT_WORK)


@pytest.mark.parametrize(
    ("audited", "differing", "least", "alarm"),
    [
        (0, 0, 0.98, False),
        (12, 0, 0.98, False),
        (12, 1, 0.98, False),
        (12, 3, 0.98, True),
        (1_000, 20, 0.98, False),
        (1_000, 40, 0.98, True),
        (1_000_000, 20_100, 0.98, False),
        (1_000_000, 25_000, 0.98, True),
        (50, 50, 0.0, False),
        (50, 0, 1.0, False),
        (50, 1, 1.0, True),
    ],
)
def test_the_alarm_wants_evidence(audited, differing, least, alarm):
    if not alarm:
        check_agreement(audited, audited - differing, least)
        return
    with pytest.raises(QualityAlarmError, match=f"{differing} of {audited}"):
        check_agreement(audited, audited - differing, least)
