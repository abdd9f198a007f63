"""A job from and to a bucket of a failing server, killed and resumed, and the account after it.

Used by the tests of this folder and by `bench/s3_campaign.py`.
"""

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from killing import Corpus, Driver
from s3_server import SECRET, Fault, RandomFaults, S3Server

from aslbatch.storage.folder import Storage

# Of 100 requests 3 are answered with 503, a third of these after they were handled, and 1
# connection is reset.
KINDS = (Fault.SLOW_DOWN,) * 4 + (Fault.SLOW_DOWN_AFTER,) * 2 + (Fault.RESET, Fault.RESET_AFTER)
SHARE = 0.04


def faults(seed: int, stall_at: int | None = None) -> RandomFaults:
    """Return what makes 3 % of requests fail with 503 and 1 % with a reset connection."""
    return RandomFaults(SHARE, seed=seed, kinds=KINDS, stall_at=stall_at)


@dataclass(frozen=True)
class BucketJob:
    """A configuration whose sources and sink lie in a bucket."""

    server: S3Server
    bucket: str
    config: Path
    sink: str
    ray_folder: Path

    @classmethod
    def write(
        cls, folder: Path, server: S3Server, bucket: str, model: Path, sink: str, **run: object
    ) -> "BucketJob":
        """Write the configuration; `run` is its section of that name."""
        config = folder / f"{sink}.yaml"
        options = server.storage_options()
        values = {
            "source": {"paths": f"s3://{bucket}/in", "storage_options": options},
            "model": {"name": str(model)},
            "decoding": {"num_beams": 1, "max_length": 8},
            "batching": {"max_tokens": 16_384},
            "sink": {"path": f"s3://{bucket}/{sink}", "storage_options": options},
            "run": run,
        }
        config.write_text(json.dumps(values), encoding="utf-8")
        # Short, for it holds sockets, whose names are limited.
        ray_folder = Path(tempfile.mkdtemp(prefix="ray-"))
        return cls(server, bucket, config, sink, ray_folder)

    @property
    def storage(self) -> Storage:
        """The output folder, looked at past the proxy that makes requests fail."""
        direct = {"endpoint_url": f"http://127.0.0.1:{self.server.upstream}"}
        options = self.server.storage_options()
        options["client_kwargs"] = {**options["client_kwargs"], **direct}
        return Storage(f"s3://{self.bucket}/{self.sink}", options)

    def start(self, *words: str) -> Driver:
        """Start a driver."""
        log = self.config.with_suffix(f".{len(list(self.config.parent.iterdir()))}.log")
        os.environ["RAY_TMPDIR"] = str(self.ray_folder)
        try:
            return Driver([*(words or ("translate",)), str(self.config)], log=log)
        finally:
            del os.environ["RAY_TMPDIR"]

    def verify(self) -> int:
        """Run `aslbatch verify` with the credentials of the configuration."""
        with self.start("verify", self.storage.uri, "--config") as driver:
            return driver.wait()

    def commits(self) -> int:
        """Return how many shards are committed."""
        return len(self.storage.names("_commits"))

    def objects(self) -> dict[str, str]:
        """Return the SHA-256 of every object of the output by its name."""
        client = self.storage._fs
        root = f"{self.bucket}/{self.sink}/"
        return {
            name.removeprefix(root): hashlib.sha256(client.cat_file(name)).hexdigest()
            for name in client.find(root)
        }

    def uploads(self) -> list[object]:
        """Return the uploads in parts that were begun and never ended."""
        return list(self.storage._fs.list_multipart_uploads(self.bucket))


def upload(corpus: Corpus, server: S3Server, bucket: str) -> None:
    """Put the files of a corpus into a bucket."""
    storage = Storage(f"s3://{bucket}/in", server.storage_options())
    for path in sorted(corpus.folder.iterdir()):
        storage.publish(path.name, path.read_bytes())


def orphans(job: BucketJob) -> list[str]:
    """Return the objects of an output that neither the run's own files nor its records are."""
    storage = job.storage
    shards = json.loads(storage.read("_manifest.json"))["shards"]
    named = {f"_commits/{shard['shard']}.json" for shard in shards}
    named |= {
        shard[kind]["name"] for shard in shards for kind in ("data", "rejected") if shard[kind]
    }
    named |= {"_manifest.json", "README.md", "_SUCCESS", "_plan/plan.parquet", "_plan/run.json"}
    return sorted(set(job.objects()) ^ named)


def ids(job: BucketJob) -> list[int]:
    """Return the ids of all rows, translated and rejected, sorted."""
    found: list[int] = []
    for folder in ("data", "rejected"):
        for name in job.storage.names(folder):
            data = job.storage.read(f"{folder}/{name}")
            found += pq.ParquetFile(pa.BufferReader(data)).read(["id"])["id"].to_pylist()
    return sorted(found)


def tells_secret(job: BucketJob) -> list[str]:
    """Return what a run wrote that holds the secret: objects, logs of the driver and of Ray."""
    told = [
        name
        for name in job.storage._fs.find(f"{job.bucket}/{job.sink}")
        if SECRET.encode() in job.storage._fs.cat_file(name)
    ]
    for folder, pattern in ((job.config.parent, "*.log"), (job.ray_folder, "**/*")):
        told += [
            str(path)
            for path in folder.glob(pattern)
            if path.is_file() and SECRET.encode() in path.read_bytes()
        ]
    return told


def titles(processes: list[psutil.Process]) -> list[str]:
    """Return names and command lines of processes, as `ps` shows them."""
    found = []
    for process in processes:
        try:
            found.append(" ".join([process.name(), *process.cmdline()]))
        except psutil.NoSuchProcess:
            continue
    return found
