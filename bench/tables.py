"""Put the results of parity, threads and end_to_end into docs/engines.md and docs/benchmarks.md.

python bench/tables.py
"""

import json
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

from pages import DOCS, fill, markdown

RESULTS = Path(__file__).parent / "results"

Row = dict[str, Any]


def main() -> None:
    """Write all tables of which there are results."""
    parity = _read("parity")
    fill(DOCS / "engines.md", "parity", agreement(parity))
    fill(DOCS / "engines.md", "batches", batches(parity))
    fill(DOCS / "benchmarks.md", "threads", threads(_read("threads")))
    fill(DOCS / "engines.md", "inflight", inflight(_read("inflight_cpu")))
    fill(DOCS / "benchmarks.md", "job", job(_read("end_to_end")))


def agreement(results: Row) -> str:
    """Return how far engines and shortlists agree with the reference."""
    count = results["settings"]["sentences"]
    engines = markdown(
        ["engine, model, direction", "identical", "largest score gap", "chrF", "token-F1 gap"],
        [
            [
                f"{_engine(row)}, {_what(row)}",
                f"{row['identical_%']:.1f} %",
                f"{row['score_max']:.1g}",
                f"{row['chrF']:.1f}",
                f"{row['token_F1_change']:+.2f}",
            ]
            for row in results["engines"]
            if _engine(row) != "transformers float32"
        ],
    )
    shortlists = markdown(
        ["shortlist, precision, model, direction", "tokens kept", "identical"],
        [
            [
                f"`{row['shortlist']}`, {row['precision']}, {_what(row)}",
                f"{row['kept']:,} of {row['vocabulary']:,}",
                f"{row['identical_%']:.1f} %",
            ]
            for row in results["shortlists"]
            if row["identical_%"] is not None
        ],
    )
    return (
        f"`bench/parity.py`, {count} held-out sentences of each model and direction, against "
        f"transformers in float32, one by one. The second model is one that "
        f"`bench/tiny_model.py` trains: three quarters of its vocabulary are other scripts, which "
        f"it learned too. chrF is that of the output against the reference's output; the token-F1 "
        f"gap, in points, is that of both against what the grammar says.\n\n{engines}\n\n"
        f"With a shortlist against without, the same engine:\n\n{shortlists}"
    )


def batches(results: Row) -> str:
    """Return what changes with the company of a sentence, all models and directions together."""
    kinds = list(dict.fromkeys(row["batches"] for row in results["batches"]))
    engines = list(dict.fromkeys(_engine(row) for row in results["batches"]))

    def cell(engine: str, kind: str) -> str:
        rows = [r for r in results["batches"] if (_engine(r), r["batches"]) == (engine, kind)]
        return f"{_sum(rows, 'texts_differ')} / {_sum(rows, 'scores_differ')}"

    total = _sum((r for r in results["batches"] if r["batches"] == kinds[0]), "sentences")
    table = markdown(
        ["engine", *kinds], [[name, *(cell(name, kind) for kind in kinds)] for name in engines]
    )
    return (
        f"Sentences whose text / whose score differs, in any bit, from that in a batch of its own; "
        f"of {total // len(engines):,} each, two models and both directions:\n\n{table}"
    )


def threads(results: Row) -> str:
    """Return what the second core adds, and how."""
    rates = results["rates"]
    first = median(next(iter(rates.values())))
    goals = results["goals"]
    peak, model = goals["peak memory, bytes"]["value"], results["converted_model_bytes"]
    table = markdown(
        ["workers", "sentences/s", "against the first"],
        [
            [name, f"{median(values):.1f}", f"{median(values) / first:.2f}"]
            for name, values in rates.items()
        ],
    )
    return (
        f"{table}\n\nThe second core adds a factor of {goals['second core']['value']:.2f} with two "
        f"workers of one thread (median over rounds), which is why `auto` starts those. A worker "
        f"with tokenizer, model and buffers took {peak / 2**20:,.0f} MiB at its peak; the "
        f"converted model has {model / 2**20:,.0f} MiB."
    )


def job(results: Row) -> str:
    """Return whole jobs against their engine alone."""
    table = markdown(
        [
            "model",
            "rows",
            "rows/s",
            "of the engine alone",
            "to start, work, finish",
            "expected by --dry-run",
        ],
        [
            [
                name,
                f"{job['rows']:,}",
                f"{job['rows_per_s']:,.1f}",
                f"**{100 * job['efficiency']:.1f} %**",
                f"{job['start_s']:.0f}, {job['work_s']:.0f}, {job['end_s']:.0f} s",
                f"{job['expected_s']:.0f} s",
            ]
            for name, job in results["jobs"].items()
        ],
    )
    return (
        f"{table}\n\nThe engine alone translated the same shards in as many processes, half of "
        f"them before the job and half after it. Work is from the first shard's start to the "
        f"last commit, with the audit of the shortlist in it."
    )


OPERATIONS = {
    "products of the layers (`addmm`)": ("addmm",),
    "scores of the vocabulary (`mm`)": ("mm",),
    "forced tokens and lengths, on all scores (`where`, `isin`, `fill_`)": (
        "where",
        "isin",
        "fill_",
    ),
    "copies: caches, beams (`index_select`, `index`, `index_put_`, `cat`, `copy_`)": (
        "index_select",
        "index",
        "_index_put_impl_",
        "cat",
        "copy_",
    ),
    "attention": ("_scaled_dot_product_flash_attention_for_cpu",),
    "sums of scores, the best of them (`add`, `_log_softmax`, `topk`)": (
        "add",
        "_log_softmax",
        "topk",
    ),
}


def inflight(results: Row) -> str:
    """Return where the time goes in transformers and in in-flight search."""
    profiles = results["profiles"].values()
    rows = [
        [name, *(f"{sum(p.get(f'aten::{op}', 0.0) for op in ops):.1f}" for p in profiles)]
        for name, ops in OPERATIONS.items()
    ]
    rows.append(["all", *(f"{profile['all']:.1f}" for profile in profiles)])
    times, settings = results["times_transformers"], results["settings"]
    return (
        f"`bench/inflight_cpu.py`: {settings['sentences']} sentences of subtitle-like lengths on "
        f"one CPU thread, float32, 4 beams, the full size; seconds of the processor by "
        f"`torch.profiler`:\n\n{markdown(['operation', *results['profiles']], rows)}\n\n"
        f"Without the profiler `cuda` is {times['cuda, shortlist']:.1f} times as fast with a "
        f"shortlist of {settings['shortlist']:,} tokens, {times['cuda, whole vocabulary']:.1f} "
        f"times with the whole vocabulary; slots were in use {100 * results['occupancy']:.0f} % "
        f"of the steps."
    )


def _read(name: str) -> Row:
    found: Row = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _engine(row: Row) -> str:
    return f"{row['engine']} {row['precision']}"


def _what(row: Row) -> str:
    return f"{row['model']}, {'into gloss' if row['direction'].endswith('asl_GL') else 'back'}"


def _sum(rows: Iterable[Row], column: str) -> int:
    return sum(row[column] for row in rows)


if __name__ == "__main__":
    main()
