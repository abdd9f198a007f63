"""Whatever a service does to answers: no wrong gloss is accepted, every request has one outcome."""

import json
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from aslbatch.labeling.answers import Asked, check_answers
from aslbatch.labeling.protocol import Ending, RawAnswer, Usage
from aslbatch.provenance.hashing import source_hash

KEYS = [f"row-{number}" for number in range(6)]
ASKS = {key: Asked(source_hash(f"Text of {key}."), f"Text of {key}.") for key in KEYS}
TRUTH = {key: f"TEXT {number} POSS" for number, key in enumerate(KEYS)}


@dataclass(frozen=True)
class Line:
    """A line of an answer file, and whether it is as the teacher wrote it, under its own key."""

    answer: RawAnswer
    is_sound: bool = False


def sound(key):
    body = {"id": key, "source_hash": ASKS[key].source_hash, "gloss": TRUTH[key]}
    return Line(RawAnswer(key, Ending.COMPLETE, json.dumps(body), usage=Usage(7, 3)), True)


def under(line, key):
    answer = line.answer
    return Line(RawAnswer(key, answer.ending, answer.text, answer.detail, answer.usage))


def cut(line, share, ending):
    answer = line.answer
    text = answer.text[: int(share * (len(answer.text) - 1))]
    return Line(RawAnswer(answer.key, ending, text, "", answer.usage))


def ended(line, ending):
    answer = line.answer
    return Line(RawAnswer(answer.key, ending, answer.text, "said so", answer.usage))


def fenced(line):
    answer = line.answer
    text = f"```json\n{answer.text}\n```"
    return Line(RawAnswer(answer.key, answer.ending, text, "", answer.usage), line.is_sound)


def with_field(line, name, value):
    answer = line.answer
    body = json.loads(answer.text)
    changed = RawAnswer(
        answer.key, answer.ending, json.dumps({**body, name: value}), "", answer.usage
    )
    return Line(changed, body.get(name) == value)


SOUND = st.sampled_from(KEYS).map(sound)
HASHES = st.sampled_from([asked.source_hash for asked in ASKS.values()])
STRANGE = st.one_of(st.none(), st.integers(), st.just(""), st.lists(st.text(max_size=3)))
BAD_ENDINGS = st.sampled_from([Ending.CUT, Ending.REFUSED, Ending.ERROR])
LINES = st.one_of(
    SOUND,
    SOUND.map(fenced),
    st.builds(
        lambda line, key: line if line.answer.key == key else under(line, key),
        SOUND,
        st.sampled_from([*KEYS, "row-99", "", None]),
    ),
    st.builds(cut, SOUND, st.floats(0, 1), st.sampled_from(list(Ending))),
    st.builds(ended, SOUND, BAD_ENDINGS),
    st.builds(with_field, SOUND, st.sampled_from(["id", "source_hash", "gloss"]), STRANGE),
    st.builds(with_field, SOUND, st.just("id"), st.sampled_from(KEYS)),
    st.builds(with_field, SOUND, st.just("source_hash"), HASHES),
    st.builds(with_field, SOUND, st.just("note"), st.text(max_size=3)),
    st.builds(lambda key, text: Line(RawAnswer(key, Ending.COMPLETE, text)),
              st.sampled_from(KEYS), st.text()),
)  # fmt: skip


@settings(max_examples=400)
@given(st.lists(LINES, max_size=20))
def test_no_wrong_gloss_is_accepted_and_every_request_has_one_outcome(lines):
    found = check_answers(ASKS, [line.answer for line in lines])
    assert [each.key for each in found.outcomes] == KEYS
    for each in found.outcomes:
        assert each.source_hash == ASKS[each.key].source_hash
        mine = [line for line in lines if line.answer.key == each.key]
        if each.gloss is not None:
            assert each.gloss == TRUTH[each.key]
            assert each.failure is None
            assert mine
            assert all(line.is_sound for line in mine)
        else:
            assert each.failure is not None
            assert each.failure.is_failure
            assert each.detail
            believable = len({line.answer.text for line in mine}) == 1
            assert not (believable and all(line.is_sound for line in mine))
        each.detail.encode()
    strays = sum(line.answer.key not in ASKS for line in lines)
    assert found.strays == strays
    paid = sum(line.answer.usage.input_tokens for line in lines)
    counted = sum(each.usage.input_tokens for each in found.outcomes)
    assert counted + found.stray_usage.input_tokens == paid


@given(st.permutations(KEYS), st.lists(st.sampled_from(KEYS)), st.permutations(KEYS))
def test_order_and_copies_of_answers_do_not_matter(order, doubled, keys):
    lines = [sound(key).answer for key in [*order, *doubled]]
    found = check_answers({key: ASKS[key] for key in keys}, lines)
    assert [(each.key, each.gloss) for each in found.outcomes] == [(k, TRUTH[k]) for k in keys]


@given(st.permutations(KEYS))
def test_only_answers_under_their_own_key_are_accepted(keys):
    lines = [under(sound(key), other).answer for key, other in zip(KEYS, keys, strict=True)]
    for each in check_answers(ASKS, lines).outcomes:
        is_own = keys.index(each.key) == KEYS.index(each.key)
        assert (each.gloss is not None) == is_own
        assert each.failure == (None if is_own else "misplaced_answer")
