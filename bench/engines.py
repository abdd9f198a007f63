"""How many sentences a second each way to translate a corpus decodes, in turns, on one thread.

All decode the same lines with 4 beams and equal forced lengths: 0.85 target tokens a source token,
and in a batch those of its longest sentence. Model and lines are made up, in the size of mBART-50
and with the lengths and repeats of real subtitles, see `bench/full_size.py`. The systems are in
`bench/peers.py`, what is compared in `bench/contests.py`; how they take turns, and how a sample of
their batches stands for the corpus, is in `bench/side_by_side.py`.

    python bench/engines.py [--smoke] [--lines 1741] [--seed 1] [--out bench/results/engines.json]

The first run builds the model and converts it: some minutes more, and 6 GB in the cache folder.
"""

import argparse
import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from contests import Contest, Model, contests
from full_size import full_size_checkpoint, subtitle_lines
from machine import machine
from peers import NUM_BEAMS, TARGET_SHARE, forced_length
from rich.console import Console
from rich.table import Table
from side_by_side import Rates, Worker, alternate

from aslbatch.models.engine import Tokens

RESULTS = Path(__file__).parent / "results" / "engines.json"
LINES, SMOKE_LINES = 20_000, 300
SHORTLIST, SMOKE_SHORTLIST = 16_000, 1_000
SIZES, SMOKE_SIZES = (32_000, 64_000), (500, 2_000)


class Bench:
    """The corpus, and the results so far.

    Attributes:
        distinct: The lines of the corpus, each once.
        systems: A record of each system.
        ratios: How many times faster aslbatch is than a system, where there is a goal.
    """

    def __init__(self, corpus: list[Tokens]) -> None:
        self.distinct: list[Tokens] = list(map(list, dict.fromkeys(map(tuple, corpus))))
        self.systems: list[dict[str, Any]] = []
        self.ratios: dict[str, dict[str, Any]] = {}
        self._corpus = corpus
        self._repeats = len(corpus) / len(self.distinct)

    def measure(self, own: Worker, contest: Contest) -> None:
        """Let systems take turns with aslbatch, and record them."""
        lines = self._corpus if contest.repeats else self.distinct
        with ExitStack() as stack:
            workers = {
                label: stack.enter_context(Worker(load, lines, forced_length))
                for label, load in contest.loads.items()
            }
            sentences = (contest.own_sentences, contest.sentences)
            ratios = alternate(own, workers, sentences, contest.rounds)
            best = min(ratios, key=lambda label: median(wall for wall, _ in ratios[label]))
            for label, worker in workers.items():
                self.record(label, worker, ratios[label], ours=contest.ours, best=label == best)
        if contest.goal is not None:
            factor = self._repeats if contest.goal_by_lines else 1.0
            rounds = [factor * ratio.wall for ratio in ratios[best]]
            self.ratios[best] = {
                "times_faster": median(rounds),
                "times_faster_by_cpu_seconds": factor * median(cpu for _, cpu in ratios[best]),
                "lowest": min(rounds),
                "highest": max(rounds),
                "rounds": len(rounds),
                "counted": "lines" if contest.goal_by_lines else "sentences",
                "goal": contest.goal,
                "met": median(rounds) >= contest.goal,
            }

    def record(
        self, label: str, worker: Worker, ratios: Sequence[Rates], *, ours: bool, best: bool
    ) -> None:
        """Keep what a system did.

        Args:
            label: What tables call it.
            worker: Its process.
            ratios: How many times faster aslbatch with its shortlist was in each round.
            ours: Whether it is aslbatch, and so translates each distinct line once.
            best: Whether it is the fastest of those that differ in a setting only.
        """
        summary = worker.summary()
        lines_per_s = summary["sentences_per_s"] * (self._repeats if ours else 1.0)
        slower = median(ratio.wall for ratio in ratios)
        record = {"label": label, "ours": ours, "best": best, "times_slower": slower}
        self.systems.append({**record, "lines_per_s": lines_per_s, **summary})

    def show(self, console: Console) -> None:
        """Print what was found."""
        columns = ("sent./s", "lines/s", "a CPU s", "GiB", "slower")
        table = Table("system", title="Beam search on one thread")
        for column in columns:
            table.add_column(column, justify="right", no_wrap=True)
        for system in sorted(self.systems, key=lambda system: system["sentences_per_s"]):
            keys = ("sentences_per_s", "lines_per_s", "sentences_per_cpu_s", "peak_memory_gib")
            table.add_row(
                system["label"], *(f"{system[key]:.2f}" for key in (*keys, "times_slower"))
            )
        console.print(table)
        for label, ratio in self.ratios.items():
            verdict = "met" if ratio["met"] else "NOT met"
            cpu = ratio["times_faster_by_cpu_seconds"]
            console.print(
                f"{label}: aslbatch is {ratio['times_faster']:.2f} times as fast in "
                f"{ratio['counted']} ({ratio['lowest']:.2f} to {ratio['highest']:.2f}; by CPU "
                f"seconds {cpu:.2f}), goal {ratio['goal']}: {verdict}"
            )


def main() -> None:
    """Measure, print a table, and write the numbers."""
    options = parsed()
    os.environ.update(OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")  # for all workers
    console = Console()
    model = Model(full_size_checkpoint(options.smoke))
    bench = Bench(subtitle_lines(options.lines, options.seed, model.tokenizer))
    before = machine()
    [(own_label, load)] = model.ours(options.shortlist).items()
    with Worker(load, bench.distinct, forced_length) as own:
        for contest in contests(
            model, shortlist=options.shortlist, sizes=options.sizes, budgets=options.budgets
        ):
            bench.measure(own, contest)
            for record in bench.systems[-len(contest.loads) :]:
                console.print(f"{record['sentences_per_s']:>8.2f}/s  {record['label']}")
        bench.record(own_label, own, [Rates(1.0, 1.0)], ours=True, best=True)
    bench.show(console)
    settings = {
        **{key: value for key, value in vars(options).items() if key != "out"},
        "distinct_lines": len(bench.distinct),
        "num_beams": NUM_BEAMS,
        "target_tokens_a_source_token": TARGET_SHARE,
        "threads": 1,
        "versions": {name: version(name) for name in ("ctranslate2", "datasets")},
    }
    results = {"settings": settings, "systems": bench.systems, "ratios": bench.ratios}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(
        json.dumps({**results, "machine": before}, indent=1) + "\n", encoding="utf-8"
    )


def parsed() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--smoke", action="store_true", help="a tiny model, to try this script")
    parser.add_argument("--lines", type=int, help=f"of the corpus; {LINES}")
    parser.add_argument("--seed", type=int, default=1, help="of the lines")
    parser.add_argument("--shortlist", type=int, help=f"tokens; {SHORTLIST}")
    parser.add_argument("--sizes", type=int, nargs="*", help=f"of more shortlists; {SIZES}")
    parser.add_argument(
        "--budgets", type=int, nargs="+", default=[512], help="tokens a batch, sorted bfloat16"
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    for name, full, smoke in (
        ("lines", LINES, SMOKE_LINES),
        ("shortlist", SHORTLIST, SMOKE_SHORTLIST),
        ("sizes", SIZES, SMOKE_SIZES),
    ):
        if getattr(options, name) is None:
            setattr(options, name, smoke if options.smoke else full)
    return options


if __name__ == "__main__":
    main()
