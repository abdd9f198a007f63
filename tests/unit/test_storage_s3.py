"""The output folder in an S3 bucket whose server fails every tenth request, and worse."""

import pickle
import threading
import traceback

import pytest
from s3_server import KEY, PAGE, SECRET, Fault, Once, RandomFaults

from aslbatch.errors import SinkError
from aslbatch.storage import insist, object_files
from aslbatch.storage.folder import Storage


@pytest.fixture
def storage(s3):
    return Storage(f"{s3.url}/some/out", s3.storage_options)


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(insist, "PATIENCE_S", 1.0)


def other_way(s3):
    """Look at the bucket past the code under test."""
    import boto3

    options = s3.storage_options
    return boto3.client(
        "s3",
        aws_access_key_id=options["key"],
        aws_secret_access_key=options["secret"],
        endpoint_url=f"http://127.0.0.1:{s3.server.upstream}",
        region_name="us-east-1",
    )


def test_files_come_and_go_while_every_tenth_request_fails(s3, storage):
    s3.server.inject = faults = RandomFaults(0.1, seed=3)
    names = [f"{n:03}.json" for n in range(PAGE + 20)]
    for name in names:
        storage.publish(f"_commits/{name}", name.encode())
    assert storage.publish_new("_plan/run.json", b"first")
    assert not storage.publish_new("_plan/run.json", b"second")
    assert storage.names("_commits") == names
    assert storage.names("") == []
    assert {storage.read(f"_commits/{name}") for name in names} == {n.encode() for n in names}
    assert storage.exists("_commits")
    assert storage.exists("_plan/run.json")
    assert not storage.exists("_plan/run")
    storage.delete("_commits")
    assert storage.names("_commits") == []
    assert storage.read("_plan/run.json") == b"first"
    assert len(faults.injected) > 3
    assert sum(faults.injected.values()) > 10


def test_one_silence_of_the_server_is_survived(s3):
    options = {**s3.storage_options, "config_kwargs": {"read_timeout": 1}}
    storage = Storage(f"{s3.url}/out", options)
    storage.publish("a", b"1")
    s3.server.stall_s = 4
    s3.server.inject = Once(Fault.STALL, "GET")
    assert storage.read("a") == b"1"
    s3.server.inject = Once(Fault.STALL, "PUT")
    storage.publish("a", b"2")
    assert storage.read("a") == b"2"


def test_of_two_that_create_a_file_one_wins(s3, storage):
    s3.server.inject = RandomFaults(0.3, seed=5)
    for turn in range(5):
        start = threading.Barrier(2)
        won = {}

        def create(who, name=f"claims/{turn}", start=start, won=won):
            mine = Storage(storage.uri, s3.storage_options)
            start.wait()
            won[who] = mine.publish_new(name, who.encode())

        threads = [threading.Thread(target=create, args=(who,)) for who in ("ada", "bob")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winner = storage.read(f"claims/{turn}").decode()
        assert won == {"ada": winner == "ada", "bob": winner == "bob"}


@pytest.mark.parametrize("fault", [Fault.RESET_AFTER, Fault.SLOW_DOWN_AFTER])
def test_a_create_whose_answer_is_lost_is_known_as_ones_own(s3, storage, fault):
    s3.server.inject = lost = Once(fault, "PUT")
    assert storage.publish_new("_plan/run.json", b"mine")
    assert lost.happened
    assert s3.server.counts["PUT"] == 2
    assert not storage.publish_new("_plan/run.json", b"other")


def test_what_is_published_is_seen_at_once_by_others(s3, storage):
    other = Storage(storage.uri, s3.storage_options)
    assert not other.exists("data/a")
    assert other.names("data") == []
    storage.publish("data/a", b"1")
    assert other.exists("data/a")
    assert other.names("data") == ["a"]
    storage.delete("data/a")
    assert not other.exists("data/a")
    assert other.names("data") == []


def test_names_are_those_of_the_folder_itself(storage):
    for name in ("data/a", "data/b/c", "data/.hidden", "database/d", "e"):
        storage.publish(name, b"")
    assert storage.names("data") == ["a"]
    assert storage.names("") == ["e"]
    storage.delete("data")
    assert storage.names("database") == ["d"]
    assert not storage.exists("data")


@pytest.fixture
def small_parts(monkeypatch):
    """Let 12 MiB go up in three parts; 5 MiB is the least that S3 allows."""
    monkeypatch.setattr(object_files, "ONE_PUT_BYTES", 6 << 20)
    monkeypatch.setattr(object_files, "PART_BYTES", 5 << 20)
    return bytes(range(256)) * (12 << 12)


def test_a_large_file_goes_up_in_parts_while_every_tenth_request_fails(s3, storage, small_parts):
    storage.publish("small", small_parts[: 6 << 20])
    assert s3.server.counts["PART"] == 0
    s3.server.inject = RandomFaults(0.1, seed=1)
    for name in "abc":
        storage.publish(name, small_parts)
        assert storage.read(name) == small_parts
    assert s3.server.counts["PART"] >= 9
    assert not storage.publish_new("a", b"x")
    assert storage.publish_new("d", small_parts)


@pytest.mark.parametrize("kind", ["CREATE_PARTS", "PART", "COMPLETE_PARTS"])
def test_an_upload_in_parts_survives_a_lost_answer(s3, storage, small_parts, kind):
    s3.server.inject = lost = Once(Fault.RESET_AFTER, kind)
    assert storage.publish_new("a", small_parts)
    assert lost.happened
    assert storage.read("a") == small_parts


def test_parts_that_a_dead_writer_left_are_swept(s3, storage):
    client, bucket = other_way(s3), s3.url.removeprefix("s3://")
    for key in ("some/out/data/a", "some/out/data/b", "some/output/c", "d"):
        client.create_multipart_upload(Bucket=bucket, Key=key)
    storage.sweep("data")
    left = client.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert sorted(upload["Key"] for upload in left) == ["d", "some/output/c"]


def test_a_living_writer_whose_parts_are_swept_sends_them_again(s3, storage, small_parts):
    class SweepOnce:
        swept = False

        def __call__(self, request):
            if request.kind == "COMPLETE_PARTS" and not self.swept:
                self.swept = True
                client, bucket = other_way(s3), s3.url.removeprefix("s3://")
                for upload in client.list_multipart_uploads(Bucket=bucket)["Uploads"]:
                    client.abort_multipart_upload(
                        Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                    )

    s3.server.inject = sweeper = SweepOnce()
    storage.publish("a", small_parts)
    assert sweeper.swept
    assert storage.read("a") == small_parts


def test_credentials_travel_with_the_storage_but_are_not_shown(storage):
    storage.publish("a", b"1")
    travelled = pickle.loads(pickle.dumps(storage))
    assert travelled.read("a") == b"1"
    assert repr(travelled) == f"Storage('{storage.uri}')"


def test_a_server_that_never_answers_is_given_up_with_a_remedy(s3, storage, impatient):
    s3.server.inject = lambda _: Fault.SLOW_DOWN
    for call in (
        lambda: storage.read("a"),
        lambda: storage.publish("a", b"1"),
        lambda: storage.publish_new("a", b"1"),
        lambda: storage.names("data"),
        lambda: storage.exists("a"),
        lambda: storage.delete("a"),
    ):
        with pytest.raises(SinkError, match=r"out/.*see to the storage.*run the same command"):
            call()


def test_a_bucket_that_cannot_be_is_named(s3):
    with pytest.raises(SinkError, match=r"Bad_Bucket!.*sink\.path and sink\.storage_options"):
        Storage("s3://Bad_Bucket!/out", s3.storage_options).publish("a", b"1")


def test_a_bucket_that_is_missing_is_named(s3):
    storage = Storage("s3://no-such-bucket-of-ours/out", s3.storage_options)
    for call in (lambda: storage.publish_new("a", b"1"), lambda: storage.names("")):
        with pytest.raises(SinkError, match=r"no-such-bucket-of-ours/out.*create it or correct"):
            call()
    with pytest.raises(FileNotFoundError):
        storage.read("a")


def test_missing_credentials_are_an_error_with_a_remedy(s3, monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    options = {"client_kwargs": s3.storage_options["client_kwargs"]}
    with pytest.raises(SinkError, match=r"sink\.storage_options.*AWS_ACCESS_KEY_ID"):
        Storage(f"{s3.url}/out", options).publish("a", b"1")


def test_a_refusal_is_not_repeated_and_says_where_credentials_come_from(s3, storage):
    class Refuse:
        def __call__(self, request):
            return Fault.REFUSE

    s3.server.inject = Refuse()
    with pytest.raises(SinkError, match=r"sink\.storage_options") as caught:
        storage.publish("a", b"1")
    assert s3.server.counts["PUT"] == 1
    text = "".join(traceback.format_exception(caught.value))
    assert "does not exist" in text
    assert SECRET not in text
    assert KEY not in text


@pytest.mark.parametrize("url", ["memory://a/b", "http://h/b", "ftp://h/b", "dir://a::file:///b"])
def test_other_kinds_of_storage_are_refused(url):
    with pytest.raises(SinkError, match=r"use a local path, file:// or one of s3://, gs://"):
        Storage(url)
