"""Who may replace files of an output folder: one process at a time, whoever died before."""

import json
import os
import socket
import subprocess
from dataclasses import asdict, replace

import pytest

from aslbatch.errors import SinkError
from aslbatch.pipelines import claim
from aslbatch.pipelines.claim import COMPACT, Holder, claimed, last_holder
from aslbatch.shards.layout import CLAIM, SUCCESS
from aslbatch.storage.folder import Storage


@pytest.fixture
def storage(tmp_path):
    return Storage(str(tmp_path))


@pytest.fixture(scope="module")
def dead():
    process = subprocess.Popen(["true"])
    process.wait()
    return Holder(COMPACT, socket.gethostname(), process.pid, "a")


def put(storage, name, holder):
    storage.publish(name, json.dumps(asdict(holder)).encode())


def test_of_two_that_see_a_dead_claim_one_gets_it(storage, dead, monkeypatch):
    put(storage, CLAIM, dead)
    publish, refused = Storage.publish, []

    def rivaled(out, name, data):
        with pytest.raises(SinkError, match="at work there is a compaction"), claimed(out, COMPACT):
            refused.append("not refused")
        refused.append(name)
        publish(out, name, data)

    monkeypatch.setattr(Storage, "publish", rivaled)
    with claimed(storage, COMPACT) as this:
        assert last_holder(storage) == this
    assert refused == [CLAIM]
    assert storage.names("_plan") == []


def test_one_that_looked_long_ago_does_not_replace_a_living_claim(storage, dead, monkeypatch):
    put(storage, CLAIM, dead)
    living = replace(dead, pid=os.getppid(), token="b")
    take_over = claim._take_over

    def late(out, *holders):
        put(out, CLAIM, living)
        return take_over(out, *holders)

    monkeypatch.setattr(claim, "_take_over", late)
    with pytest.raises(SinkError, match=f"process {os.getppid()} "), claimed(storage, COMPACT):
        pass
    assert last_holder(storage) == living
    assert storage.names("_plan") == ["claim.json"]


def test_one_that_died_as_it_took_over_is_taken_over_too(storage, dead):
    put(storage, CLAIM, dead)
    put(storage, f"{CLAIM}.a", replace(dead, token="b"))
    put(storage, f"{CLAIM}.b", replace(dead, token="c"))
    with claimed(storage, COMPACT) as this:
        assert last_holder(storage) == this
        assert storage.names("_plan") == ["claim.json"]
    assert storage.names("_plan") == []


def test_one_that_takes_over_elsewhere_is_waited_for_or_named_for_deletion(storage, dead):
    put(storage, CLAIM, dead)
    put(storage, f"{CLAIM}.a", replace(dead, host="elsewhere", token="b"))
    with pytest.raises(SinkError, match=rf"elsewhere.*delete .*{CLAIM}"), claimed(storage, COMPACT):
        pass
    storage.delete(CLAIM)
    with claimed(storage, COMPACT):
        assert storage.names("_plan") == ["claim.json"]


def test_a_claim_that_is_another_ones_by_now_is_not_released(storage, dead):
    with claimed(storage, COMPACT):
        put(storage, CLAIM, dead)
    assert last_holder(storage) == dead


@pytest.mark.parametrize(("there", "before"), [(False, False), (True, False), (False, True)])
def test_a_claim_knows_whether_there_was_success(storage, dead, there, before):
    put(storage, CLAIM, replace(dead, had_success=before))
    if there:
        storage.publish(SUCCESS, b"")
    with claimed(storage, COMPACT) as this:
        assert this.had_success == (there or before)


def test_a_claim_of_an_older_version_is_read(storage):
    storage.publish(CLAIM, b'{"task": "retry", "host": "h", "pid": 7}')
    assert last_holder(storage) == Holder("retry", "h", 7)


def test_a_claim_under_our_own_number_that_we_did_not_make_is_a_dead_ones(storage):
    with claimed(storage, COMPACT) as ours:
        assert ours.may_be_alive()
        assert not replace(ours, token="of a container's process before").may_be_alive()
