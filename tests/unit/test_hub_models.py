"""Models of the Hugging Face Hub, fetched by its real client from a server on the loopback."""

import re
from pathlib import Path

import pytest
from hub_server import TOKEN

from aslbatch.errors import ModelError
from aslbatch.models.checkpoint import find_checkpoint
from aslbatch.storage import insist

NAME = "org/asl-mbart"


@pytest.fixture
def files(tiny_model):
    """A repository's files: a checkpoint, and much that translation has no use for."""
    content = {file.name: file.read_bytes() for file in tiny_model.iterdir()}
    extra = ["README.md", "pytorch_model.bin", "onnx/model.safetensors", "optimizer.pt"]
    return content | dict.fromkeys(extra, b"never fetched")


def fetch(name, revision=None):
    """Return what a fresh process finds: revision, fingerprint, and the names of the files."""
    found = find_checkpoint(name, revision=revision)
    names = sorted(path.relative_to(found.folder).as_posix() for path in found.folder.rglob("*"))
    return found.revision, found.sha256, names


def fetch_all(*requests):
    return [fetch(*request) for request in requests]


def refusals(*requests):
    """Return why each request is refused, by a process that waits for nothing."""
    insist.PATIENCE_S = 0.0
    messages = []
    for request in requests:
        with pytest.raises(ModelError) as caught:
            fetch(*request)
        messages.append(caught.value.message)
    return messages


def is_plain(message):
    """Return whether a message repeats neither a token nor a URL, which may be a signed one."""
    return TOKEN not in message and "http" not in message


def test_a_branch_is_resolved_to_its_commit_and_only_needed_files_are_fetched(
    hub, files, tiny_model
):
    commit = hub.publish("models", NAME, files)
    revision, sha256, names = hub.call(fetch, NAME)
    assert (revision, sha256) == (commit, find_checkpoint(str(tiny_model)).sha256)
    assert "model.safetensors" in names
    assert set(names) <= {file.name for file in Path(tiny_model).iterdir()}
    assert not hub.asked(r"README|\.bin|onnx|optimizer")


def test_what_was_fetched_serves_without_a_network(hub, files):
    commit = hub.publish("models", NAME, files)
    hub.call(fetch, NAME)
    before = len(hub.requests)
    found = hub.call(fetch_all, [NAME], [NAME, commit], HF_HUB_OFFLINE="1")
    assert [revision for revision, *_ in found] == [commit, commit]
    # A pinned commit needs no question even online: workers of one node ask once.
    assert hub.call(fetch, NAME, commit)[0] == commit
    assert len(hub.requests) == before
    hub.stop()
    assert hub.call(fetch, NAME)[0] == commit


def test_a_pinned_commit_stays_when_the_branch_moves(hub, files):
    first = hub.publish("models", NAME, files)
    second = hub.publish("models", NAME, files | {"config.json": files["config.json"] + b"\n"})
    hub.publish("models", NAME, files, branch="feature/new")
    requests = [NAME, first], [NAME, "main"], [NAME, "feature/new"]
    at_first, at_second, at_branch = hub.call(fetch_all, *requests)
    assert (at_first[0], at_second[0]) == (first, second)
    assert at_first[1] == at_branch[1] != at_second[1]


def test_a_private_model_needs_the_token_of_the_environment(hub, files):
    commit = hub.publish("models", NAME, files, private=True)
    assert hub.call(fetch, NAME, HF_TOKEN=TOKEN)[0] == commit
    # The storage behind the Hub is another host and must not be told.
    assert hub.asked("GET /cdn/")
    assert {request.authorization for request in hub.asked("/cdn/")} == {None}


@pytest.mark.parametrize(
    ("environment", "requests", "expected"),
    [
        (
            {},
            [["org/none"], [NAME]],
            [r"org/none \(revision main\): there is no such repository", "or it is private; check"],
        ),
        (
            {"HF_TOKEN": TOKEN},
            [["org/none"], [NAME, "v9"], [NAME, "0" * 40]],
            [
                "or set HF_TOKEN to a token that may",
                r"\(revision v9\): there is no",
                "check the rev",
            ],
        ),
        (
            {"HF_TOKEN": f"{TOKEN}x"},
            [[NAME]],
            [r"refuses the token \(status 401\)"],
        ),
        ({"HF_HUB_OFFLINE": "1"}, [[NAME]], ["cache, and the Hub must not be asked .*unset it"]),
        ({"HF_ENDPOINT": "http://127.0.0.1:9"}, [[NAME]], [r"cannot be reached \(ConnectError\)"]),
    ],
)
def test_a_model_that_the_hub_does_not_give_says_why(hub, files, environment, requests, expected):
    hub.publish("models", NAME, files, private=True)
    messages = hub.call(refusals, *requests, **environment)
    for pattern, message in zip(expected, messages, strict=True):
        assert re.search(pattern, message)
        assert is_plain(message)


@pytest.mark.parametrize(
    ("requests", "status", "expected"),
    [
        ("", 503, r"the Hub cannot be reached \(status 503\).*set model.name to a local folder"),
        ("HEAD .*/resolve/", 0, r"the Hub cannot be reached \(RemoteProtocolError\)"),
        ("GET /cdn/", 403, r"the Hub refuses the token \(status 403\)"),
    ],
)
def test_a_hub_that_fails_is_no_traceback(hub, files, requests, status, expected):
    hub.publish("models", NAME, files)
    hub.fails, hub.fails_with = re.compile(requests).search, status
    [message] = hub.call(refusals, [NAME])
    assert re.search(expected, message)
    assert is_plain(message)


class FirstRequests:
    """Whether a request is one of the first of those whose method and path match."""

    def __init__(self, pattern, count):
        self._pattern = re.compile(pattern)
        self._left = count

    def __call__(self, request):
        matches = self._left > 0 and self._pattern.search(request) is not None
        self._left -= matches
        return matches


@pytest.mark.parametrize(
    ("pattern", "count", "status"),
    [("/api/", 2, 503), ("/api/", 2, 429), ("/api/", 2, 0), ("GET /cdn/", 1, 0)],
)
def test_a_hub_that_fails_for_a_while_is_waited_for(hub, files, pattern, count, status):
    commit = hub.publish("models", NAME, files)
    hub.fails, hub.fails_with = FirstRequests(pattern, count), status
    assert hub.call(fetch, NAME)[0] == commit
    assert len([r for r in hub.requests if r.status == status]) == count


def test_what_lasts_is_not_asked_again(hub, files):
    hub.publish("models", NAME, files, private=True)
    with pytest.raises(ModelError, match="no such repository"):
        hub.call(fetch, NAME)
    assert len(hub.requests) <= 2
    with pytest.raises(ModelError, match="must not be asked"):
        hub.call(fetch, NAME, HF_HUB_OFFLINE="1")


def test_a_name_that_is_an_hf_url_is_sent_to_the_id():
    with pytest.raises(ModelError, match=r"write the Hub id alone.*model\.revision"):
        find_checkpoint("hf://org/asl-mbart@main")


def test_a_name_that_no_hub_has_is_refused_before_it_is_asked():
    with pytest.raises(ModelError, match="neither a folder nor a Hub id"):
        find_checkpoint("org/asl--mbart")
