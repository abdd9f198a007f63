"""Passing faults of storage are waited out, lasting ones are not, and no secret is shown."""

import errno
import http.client
import socket
import ssl
import traceback

import pytest

from aslbatch.provenance.uri import without_credentials
from aslbatch.storage import insist as insist_module
from aslbatch.storage.faults import is_passing
from aslbatch.storage.insist import insist, masked, secrets_of


def library_error(module, name, base=Exception, **attributes):
    """Return an error of a class that a library is made to define, without that library."""
    kind = type(name, (base,), {"__module__": module})
    error = kind("it says so")
    for key, value in attributes.items():
        setattr(error, key, value)
    return error


def client_error(status, code):
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return library_error("botocore.exceptions", "ClientError", response=response)


def raised_from(error, cause):
    error.__cause__ = cause
    return error


class Answer:
    def __init__(self, status_code):
        self.status_code = status_code


PASSING = [
    TimeoutError(),
    ConnectionResetError(errno.ECONNRESET, "reset"),
    BrokenPipeError(),
    OSError(errno.EHOSTUNREACH, "no route"),
    http.client.IncompleteRead(b""),
    client_error(503, "SlowDown"),
    client_error(500, "InternalError"),
    client_error(400, "RequestTimeout"),
    client_error(409, "ConditionalRequestConflict"),
    client_error(404, "NoSuchUpload"),
    raised_from(OSError(errno.EBUSY, "slow down"), client_error(503, "SlowDown")),
    raised_from(OSError(errno.EIO, "odd"), client_error(502, "BadGateway")),
    raised_from(FileNotFoundError("no such upload"), client_error(404, "NoSuchUpload")),
    library_error("botocore.exceptions", "HTTPClientError"),
    library_error("botocore.parsers", "ResponseParserError"),
    library_error("aiohttp.client_exceptions", "ServerDisconnectedError", ConnectionError),
    raised_from(
        library_error("aiohttp.client_exceptions", "ClientPayloadError"),
        library_error("aiohttp.http_exceptions", "ContentLengthError", code=400),
    ),
    library_error("aiohttp.client_exceptions", "ClientResponseError", status=429),
    library_error("azure.core.exceptions", "HttpResponseError", status_code=503),
    library_error("azure.core.exceptions", "ServiceResponseError"),
    library_error("gcsfs.retry", "HttpError", code="503"),
    library_error("requests.exceptions", "ChunkedEncodingError", OSError),
    library_error(
        "httpx2", "ReadTimeout", type("TimeoutException", (Exception,), {"__module__": "httpx2"})
    ),
    library_error("huggingface_hub.errors", "HfHubHTTPError", OSError, response=Answer(502)),
    library_error("fsspec.exceptions", "FSTimeoutError", TimeoutError),
]

LASTING = [
    (FileNotFoundError("a"), errno.ENOENT),
    (FileExistsError("a"), errno.EEXIST),
    (PermissionError("a"), errno.EACCES),
    (IsADirectoryError(errno.EISDIR, "a"), errno.EISDIR),
    (OSError("without a number"), errno.EIO),
    (ssl.SSLCertVerificationError("not trusted"), errno.EIO),
    (client_error(403, "AccessDenied"), errno.EACCES),
    (client_error(400, "InvalidArgument"), errno.EINVAL),
    (client_error(412, "PreconditionFailed"), errno.EEXIST),
    (client_error(501, "NotImplemented"), errno.ENOSYS),
    (
        raised_from(OSError(errno.EINVAL, "if"), client_error(412, "PreconditionFailed")),
        errno.EEXIST,
    ),
    (library_error("botocore.exceptions", "NoCredentialsError"), errno.EACCES),
    (library_error("botocore.exceptions", "ParamValidationError"), errno.EIO),
    (
        library_error("azure.core.exceptions", "ClientAuthenticationError", status_code=401),
        errno.EACCES,
    ),
    (library_error("gcsfs.retry", "HttpError", code=404), errno.ENOENT),
    (
        library_error("huggingface_hub.errors", "HfHubHTTPError", OSError, response=Answer(401)),
        errno.EACCES,
    ),
    (ValueError("Bad Request: b/o"), errno.EIO),
    (library_error("huggingface_hub.errors", "OfflineModeIsEnabled", ConnectionError), errno.EIO),
]


class Failing:
    """Raises each of the errors, then returns "done"."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.calls = 0

    def __call__(self):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


@pytest.fixture
def waits(monkeypatch):
    """A clock on which sleeping costs nothing; the longest waits are always drawn."""
    slept = []
    monkeypatch.setattr(insist_module.time, "sleep", slept.append)
    monkeypatch.setattr(insist_module.time, "monotonic", lambda: sum(slept))
    monkeypatch.setattr(insist_module.random, "uniform", lambda _, longest: longest)
    return slept


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_passing_faults_are_waited_out(waits, error):
    failing = Failing(error, error)
    assert insist(failing) == "done"
    assert failing.calls == 3
    assert waits == [0.5, 1.0]


@pytest.mark.parametrize(("error", "number"), LASTING, ids=repr)
def test_lasting_faults_are_raised_at_once_with_a_number(waits, error, number):
    failing = Failing(error)
    with pytest.raises(OSError, match=r"\w") as caught:
        insist(failing)
    assert failing.calls == 1
    assert caught.value.errno == number
    assert caught.value.strerror
    assert caught.value.__cause__ is error
    assert waits == []


@pytest.mark.parametrize(
    "error", [TypeError("mine"), KeyError("mine"), UnicodeDecodeError("a", b"", 0, 1, "b")]
)
def test_mistakes_of_programs_are_not_taken_for_faults_of_storage(waits, error):
    with pytest.raises(type(error)):
        insist(Failing(error))
    assert waits == []


def test_it_gives_up_after_two_minutes_with_the_last_error(waits):
    failing = Failing(*[TimeoutError("first")] * 3, *[client_error(503, "SlowDown")] * 100)
    with pytest.raises(OSError, match="it says so") as caught:
        insist(failing)
    assert caught.value.errno == errno.EBUSY
    assert 100 < sum(waits) <= 120
    assert max(waits) == 20
    assert failing.calls == len(waits) + 1


def test_patience_is_for_the_caller_to_say(waits):
    failing = Failing(*[TimeoutError()] * 100)
    with pytest.raises(TimeoutError):
        insist(failing, patience_s=2)
    assert waits == [0.5, 1.0]


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_a_passing_fault_that_is_given_up_can_be_told_from_a_lasting_one(error):
    with pytest.raises(OSError, match=r"\w") as caught:
        insist(Failing(error), patience_s=0)
    caught.value.__cause__ = None
    assert is_passing(caught.value)


def test_waits_are_random_shares_of_the_longest(monkeypatch):
    slept = []
    monkeypatch.setattr(insist_module.time, "sleep", slept.append)
    for _ in range(200):
        insist(Failing(TimeoutError()))
    assert min(slept) < 0.1
    assert 0.4 < max(slept) <= 0.5


OPTIONS = {
    "key": "PLANTED-KEY",
    "client_kwargs": {
        "endpoint_url": "http://storage.example",
        "aws_session_token": "PLANTED/T+K=",
    },
    "connection_string": "DefaultEndpointsProtocol=https;AccountName=me;AccountKey=PLANTED-PART==",
    "token": {"private_key": "PLANTED-PEM"},
    "anon": False,
    "sas_token": "abc",
}


def test_secrets_are_known_by_their_keys():
    secrets = secrets_of(OPTIONS)
    assert {"PLANTED-KEY", "PLANTED/T+K=", "PLANTED-PART==", "PLANTED-PEM"} <= secrets
    assert not {"http://storage.example", "https", "abc"} & secrets


@pytest.mark.parametrize(
    "text",
    [
        "key PLANTED-KEY is unknown",
        "at https://host/c/b?sig=PLANTED%2FT%2BK%3D&se=1",
        "at https://user:PLANTED-WORD@host/c",
        "twice PLANTED-PART== PLANTED-PEM",
    ],
)
@pytest.mark.parametrize("make", [PermissionError, ConnectionError])
def test_no_secret_is_in_an_error_or_its_traceback(waits, text, make):
    inner = raised_from(make(text), ValueError(text))
    with pytest.raises(OSError, match=r"\w") as caught:
        insist(Failing(*[inner] * 50), secrets=secrets_of(OPTIONS))
    shown = "".join(traceback.format_exception(caught.value, limit=0))
    assert "PLANTED" not in shown
    assert "PLANTED" not in repr(caught.value)


def test_masking_leaves_other_text_alone():
    text = "s3://bucket/key and C:\\file, a://b"
    assert masked(text, secrets_of(OPTIONS)) == text


def test_a_container_of_azure_is_no_user():
    assert (
        without_credentials("abfss://c@me.dfs.core.windows.net/a")
        == "abfss://c@me.dfs.core.windows.net/a"
    )
    assert without_credentials("abfs://c:pw@me.net/a") == "abfs://me.net/a"
    assert without_credentials("s3://me@b/a") == "s3://b/a"


def test_a_server_that_takes_a_request_and_says_nothing_is_left(monkeypatch):
    """aiohttp waits without end for leave to send a body; the limit of `ask` ends that."""
    pytest.importorskip("s3fs", reason="needs s3fs, which `make setup` installs")
    from aslbatch.storage.remote import ask, open_fs

    monkeypatch.setattr(insist_module, "PATIENCE_S", 0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        options = {"key": "a", "secret": "b", "client_kwargs": {"endpoint_url": endpoint}}
        fs, inner = open_fs("s3://bucket/a", options)
        with pytest.raises(TimeoutError):
            ask(fs, "pipe_file", inner, b"1", limit_s=0.5)
