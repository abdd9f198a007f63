"""A process that holds an int8 engine and works through batches when it is told to.

    python bench/worker.py CHECKPOINT SHORTLIST_SIZE THREADS ROWS_FILE BUDGET MAX_LENGTH

ROWS_FILE holds shards, `[[[token ids], ...], ...]` as JSON. The process says `ready`, waits for a
line on its standard input, translates shard after shard as the translate stage does, but without
everything around it, and prints seconds, rows and its peak of memory as JSON. A MAX_LENGTH below 0
forces every translation to that many tokens instead.
"""

import json
import sys
import time
from pathlib import Path

from full_size import sized_shortlist
from side_by_side import peak_bytes

from aslbatch.models.decoding import Decoding
from aslbatch.models.engines import load_engine
from aslbatch.models.tokenizer import Tokenizer
from aslbatch.stages.batching import make_batches
from aslbatch.stages.search import search


def main() -> None:
    """Load, wait, work, report."""
    folder, size, threads, rows, budget, length = sys.argv[1:]
    shards = json.loads(Path(rows).read_text(encoding="utf-8"))
    tokenizer = Tokenizer.load(Path(folder))
    engine, _ = load_engine(
        Path(folder),
        languages=("en_XX", "asl_GL"),
        engine="ctranslate2",
        precision="int8",
        device="cpu",
        threads=int(threads),
        shortlist=sized_shortlist(tokenizer, int(size)) if int(size) else None,
    )
    how = {"target_lang": "asl_GL", "max_tokens": int(budget)}

    def work(rows: list[list[int]]) -> None:
        if int(length) > 0:
            search(engine, rows, decoding=Decoding(max_length=int(length)), **how)
            return
        lengths = [len(row) for row in rows]
        for batch in make_batches(lengths, int(budget), equal_lengths=True):
            chosen = [rows[index] for index in batch]
            engine.force(chosen, target_lang="asl_GL", decoding=Decoding(), length=-int(length) + 1)

    work(shards[0][:4])
    print("ready", flush=True)
    sys.stdin.readline()
    started, cpu = time.perf_counter(), time.process_time()
    for shard in shards:
        work(shard)
    report = {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu,
        "rows": sum(map(len, shards)),
        "peak_bytes": peak_bytes(),
    }
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
