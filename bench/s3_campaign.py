"""The main job from and to an S3 server that fails, its driver killed three times.

Of all requests 3 % are answered with 503, 1 % of connections are reset, and once the server says
nothing for 30 s. Afterwards every row is accounted for, and the bytes are compared with those of a
run without faults and with another number of workers. The model is a random tiny one.

    python bench/s3_campaign.py [--rows 20000] [--files 10] [--shard-rows 500] [--seed 1]
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from machine import machine

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "faults"))

from bucket_job import BucketJob, faults, ids, orphans, tells_secret, upload
from killing import Corpus
from s3_server import S3Server
from tiny_checkpoint import tiny_checkpoint

RESULTS = Path(__file__).parent / "results" / "s3_campaign.json"
STALL_AT = 60
SAID_OF_THE_RUN = ("_plan/", "_manifest", "README")


def main() -> None:
    """Run the campaign, print what came out, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--files", type=int, default=10)
    parser.add_argument("--shard-rows", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aslbatch-s3-") as name:
        folder = Path(name)
        server = S3Server(folder / "moto.log")
        try:
            results = campaign(folder, server, options)
        finally:
            server.close()
    for key, value in results.items():
        print(f"{key:<24} {value}")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results | {"machine": machine()}, indent=1) + "\n", "utf-8")
    sys.exit(not results["passed"])


def campaign(folder: Path, server: S3Server, options: argparse.Namespace) -> dict[str, object]:
    """Kill and resume a job on the failing server, run it again in peace, and compare."""
    model, bucket = tiny_checkpoint(folder / "model"), server.create_bucket()
    corpus = Corpus.write(folder / "corpus", rows=options.rows, files=options.files)
    upload(corpus, server, bucket)
    run = {"shard_rows": options.shard_rows}
    job = BucketJob.write(folder, server, bucket, model, "out", workers=2, **run)
    calm = BucketJob.write(folder, server, bucket, model, "calm", workers=1, **run)
    shards, injected, killed_at = options.rows // options.shard_rows, Counter[str](), []
    server.counts.clear()
    started = time.monotonic()
    for number, share in enumerate((0.2, 0.5, 0.8, None)):
        server.inject = inject = faults(options.seed + number, STALL_AT if number == 1 else None)
        with job.start() as driver:
            if share is None:
                if driver.wait():
                    raise RuntimeError(driver.output)
            else:
                driver.wait_for(lambda goal=share * shards: job.commits() >= goal, "the kill")
                driver.kill()
                killed_at.append(job.commits())
        injected.update({fault.name: count for fault, count in inject.injected.items()})
    server.inject = None
    failing_s = time.monotonic() - started
    requests = dict(server.counts)
    verify = job.verify()
    started = time.monotonic()
    with calm.start() as driver:
        if driver.wait():
            raise RuntimeError(driver.output)
    found = {
        "rows": options.rows,
        "shards": shards,
        "killed_at_commits": killed_at,
        "requests": requests,
        "faults": dict(injected),
        "failing_runs_s": round(failing_s, 1),
        "calm_run_s": round(time.monotonic() - started, 1),
        "verify": verify,
        "rows_each_once": ids(job) == corpus.ids().tolist(),
        "orphans": orphans(job),
        "unfinished_uploads": job.uploads(),
        "objects_unlike_calm": unlike(job, calm),
        "secret_found_in": tells_secret(job),
    }
    for each in (job, calm):
        shutil.rmtree(each.ray_folder, ignore_errors=True)
    wrong = ("orphans", "unfinished_uploads", "objects_unlike_calm", "secret_found_in", "verify")
    found["passed"] = bool(found["rows_each_once"] and not any(found[key] for key in wrong))
    return found


def unlike(job: BucketJob, calm: BucketJob) -> list[str]:
    """Return the objects that differ, but for those that name the output or the time."""
    ours, theirs = job.objects(), calm.objects()
    return sorted(
        name
        for name in ours.keys() | theirs.keys()
        if ours.get(name) != theirs.get(name) and not name.startswith(SAID_OF_THE_RUN)
    )


if __name__ == "__main__":
    main()
